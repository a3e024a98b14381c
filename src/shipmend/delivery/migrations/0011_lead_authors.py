from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0010_unsettled"),
    ]

    operations = [
        # The rows are made again when they are asked for, with their authors.
        migrations.RunSQL("DELETE FROM delivery_releaselead", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="releaselead",
            name="authors",
            field=models.BinaryField(default=b""),
        ),
    ]
