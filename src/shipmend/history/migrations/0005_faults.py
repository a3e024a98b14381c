from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("history", "0004_tickets"),
    ]

    # Null stands for none: a column with a default would make Django copy the table, which then lies beside its key.
    operations = [
        migrations.AddField(
            model_name="history",
            name="undated",
            field=models.IntegerField(null=True),
        ),
        migrations.AddField(
            model_name="history",
            name="faults",
            field=models.TextField(null=True),
        ),
    ]
