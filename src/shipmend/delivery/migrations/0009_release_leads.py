from django.db import migrations, models

import shipmend.db.fields


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0008_causes"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReleaseLead",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "entity_id", "release_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("entity_id", shipmend.db.fields.IdField()),
                ("release_id", shipmend.db.fields.IdField()),
                ("sieve", models.IntegerField()),
                ("is_baseline", models.BooleanField()),
                ("commits", models.IntegerField()),
                ("merges", models.IntegerField()),
                ("timeless", models.IntegerField()),
                ("early", models.IntegerField()),
                ("times", models.BinaryField()),
            ],
        ),
        migrations.AddField(
            model_name="release",
            name="undone_by",
            field=shipmend.db.fields.IdField(null=True),
        ),
        # What a rollback undid is found when its stream is looked at again.
        migrations.RunSQL(
            "UPDATE delivery_release SET needs_attribution = TRUE WHERE kind = 'rollback'", migrations.RunSQL.noop
        ),
    ]
