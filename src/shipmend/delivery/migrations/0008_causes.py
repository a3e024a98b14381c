from django.db import migrations, models

import shipmend.db.fields


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0004_causes"),
        ("delivery", "0007_release_identity_of_those_there"),
    ]

    operations = [
        migrations.AddField(
            model_name="criticaldefect",
            name="cause_release_id",
            field=shipmend.db.fields.IdField(null=True),
        ),
        migrations.AddField(
            model_name="criticaldefect",
            name="cause_standing",
            field=models.CharField(
                choices=[("", "UNSAID"), ("named", "NAMED"), ("accepted", "ACCEPTED"), ("none", "NONE")],
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="criticaldefect",
            name="notes",
            field=models.TextField(default=""),
        ),
        migrations.AddIndex(
            model_name="criticaldefect",
            index=models.Index(
                condition=models.Q(("cause_release_id__isnull", False)),
                fields=["entity", "cause_release_id"],
                name="defect_by_cause",
            ),
        ),
        migrations.AddConstraint(
            model_name="criticaldefect",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("cause_release_id", None), ("cause_standing__in", ["", "none"])),
                    models.Q(("cause_release_id__isnull", False), ("cause_standing__in", ["named", "accepted"])),
                    _connector="OR",
                ),
                name="cause_as_said",
            ),
        ),
    ]
