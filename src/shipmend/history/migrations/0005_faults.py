from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("history", "0004_tickets"),
    ]

    operations = [
        migrations.AddField(
            model_name="history",
            name="undated",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="history",
            name="faults",
            field=models.TextField(default=""),
        ),
    ]
