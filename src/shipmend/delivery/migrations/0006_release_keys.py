from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0005_release_diff_paths"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="release",
            index=models.Index(
                condition=models.Q(("issue_keys", "[]"), _negated=True), fields=["entity"], name="release_with_keys"
            ),
        ),
    ]
