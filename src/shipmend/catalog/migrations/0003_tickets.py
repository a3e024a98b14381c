from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_parts"),
    ]

    operations = [
        migrations.AddField(
            model_name="entity",
            name="public_badges",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="entity",
            name="ticket_numbers",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="entity",
            name="ticket_pattern",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
    ]
