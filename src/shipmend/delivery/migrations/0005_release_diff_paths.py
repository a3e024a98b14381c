from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0004_release_diff"),
    ]

    operations = [
        migrations.AddField(
            model_name="releasediff",
            name="paths",
            field=models.CharField(default="", max_length=32),
        ),
    ]
