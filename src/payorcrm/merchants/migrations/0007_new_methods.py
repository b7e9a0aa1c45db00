"""Which of several processors takes the cards and bank accounts that customers enter from now on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("merchants", "0006_trusted")]

    operations = [
        migrations.AddField(
            model_name="gatewayaccount",
            name="takes_new_cards",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="gatewayaccount",
            name="takes_new_accounts",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddConstraint(
            model_name="gatewayaccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("takes_new_cards", True)), fields=("merchant",), name="one_gateway_for_new_cards"
            ),
        ),
        migrations.AddConstraint(
            model_name="gatewayaccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("takes_new_accounts", True)),
                fields=("merchant",),
                name="one_gateway_for_new_accounts",
            ),
        ),
    ]
