from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_tickets"),
    ]

    operations = [
        migrations.AddField(
            model_name="entity",
            name="cause_window_hours",
            field=models.IntegerField(default=168),
        ),
        migrations.AddField(
            model_name="entity",
            name="rollbacks_fail",
            field=models.BooleanField(default=True),
        ),
    ]
