from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("history", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="tip",
            name="at",
            field=models.BigIntegerField(null=True),
        ),
        # An index leaves alone what stands where it stood; so that it reads when each tag was made, none may stand.
        migrations.RunSQL("DELETE FROM history_tip WHERE name LIKE 'refs/tags/%'", migrations.RunSQL.noop),
    ]
