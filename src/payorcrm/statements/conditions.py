"""Which customers a rule is about: the conditions of reminder rules that say something of a customer, or none."""

from payorcrm.reminders.conditions import Compiled, Tree, check_customer_tree, compile_customer_tree


def check_customers(tree: Tree) -> None:
    """Refuse what is no tree of conditions about customers; an empty one is all of them. Raises ConditionsRefused."""
    if tree:
        check_customer_tree(tree)


def compile_customers(tree: Tree) -> Compiled:
    """Return the tree as SQL about `customer`, `account.currency` and the day `today`. Raises ConditionsRefused."""
    if not tree:
        return Compiled("TRUE")
    return compile_customer_tree(tree, currency="account.currency", day="%(today)s::date")
