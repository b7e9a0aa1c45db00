"""Importing 100,000 invoices of 20,000 customers from a CSV file, beside a bare COPY of the same rows and columns.

The COPY gets rows that are ready: no reading of a file, no checks, no history, no ledger. It is measured into the
invoices' own table and into a table of the same columns without any index, key or check.
"""

import os
import random
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.harness import Bench, Target, Way

INVOICES = 100_000
INVOICES_OF_A_CUSTOMER = 5
MOST_MEGABYTES = 300
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
COLUMNS = (
    "id, merchant_id, customer_id, number, status, issued_on, due_on, currency, total, balance, in_flight, created_at"
)

_MEASURED_COMMAND = """
import re, sys
from pathlib import Path
from payorcrm.commands.line import main
code = main(sys.argv[1:])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text()).group(1)
print(f"peak {peak}")
sys.exit(code)
"""


def measure(bench: Bench) -> None:
    """Compare the import with COPY, import the file a second time, and read the peak memory of the real command."""
    count = bench.scaled(INVOICES)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "invoices.csv"
        write_file(path, count)
        make_customers(count // INVOICES_OF_A_CUSTOMER)
        import_file(path)
        lines = ready_lines()
        ways = [
            Way("import", lambda: import_file(path), before=empty),
            Way("the same file again", lambda: import_file(path)),
            Way("COPY into the invoices", lambda: copy("invoices_invoice", lines), before=empty),
            Way("COPY into a bare table", lambda: copy("bare_invoice", lines), before=empty),
        ]
        target = Target("import", "COPY into the invoices", 0.25)
        bench.compare(f"Import of {count:,} invoices", unit="invoices", count=count, ways=ways, target=target)
        empty()
        peak = peak_megabytes(path)
        bench.expect(
            peak < MOST_MEGABYTES, f"payorcrm import peaks at {peak} MB; less than {MOST_MEGABYTES} MB is wanted"
        )


def write_file(path: Path, count: int) -> None:
    """Write invented invoices as the upload API names the columns; one in ten is settled in part or whole."""
    chance = random.Random(1)
    customers = max(1, count // INVOICES_OF_A_CUSTOMER)
    with path.open("w") as file:
        file.write("customerNumber,invoiceNumber,invoiceAmount,balanceAmount,dueDate,invoiceDate,currency\n")
        for place in range(count):
            total = chance.randrange(1_000, 500_000)
            balance = total if place % 10 else chance.choice((0, total // 2))
            due = date(2026, 1, 1) + timedelta(days=chance.randrange(400))
            amounts = f"{total // 100}.{total % 100:02},{balance // 100}.{balance % 100:02}"
            file.write(f"C{place % customers:06},INV-{place:07},{amounts},{due},{due - timedelta(days=30)},USD\n")


def make_customers(count: int) -> None:
    """Make the merchant and its customers, and the bare table."""
    from django.db import connection

    from payorcrm.customers.models import Customer
    from payorcrm.merchants.models import Merchant

    merchant = Merchant.objects.create(name="Bench", slug="bench-imports")
    customers = (
        Customer(merchant=merchant, number=f"C{n:06}", company_name=f"Company {n}") for n in range(max(1, count))
    )
    Customer.objects.bulk_create(customers, batch_size=5_000)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bare_invoice AS SELECT {COLUMNS} FROM invoices_invoice LIMIT 0")
        cursor.execute("ANALYZE")


def import_file(path: Path) -> None:
    """Import the file for the merchant."""
    from payorcrm.invoices.import_invoices import import_invoices
    from payorcrm.merchants.models import Merchant

    report = import_invoices(merchant=Merchant.objects.get(slug="bench-imports"), path=path, now=NOW)
    assert report.is_imported, report.bad_rows[:3]


def ready_lines() -> bytes:
    """Return the imported rows as COPY wants them, in the order of the file."""
    from django.db import connection

    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY (SELECT {COLUMNS} FROM invoices_invoice ORDER BY number) TO STDOUT") as rows,
    ):
        return b"".join(bytes(part) for part in rows)


def copy(table: str, lines: bytes) -> None:
    """Copy the rows into a table, in one transaction."""
    from django.db import connection, transaction

    with (
        transaction.atomic(),
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({COLUMNS}) FROM STDIN") as rows,
    ):
        rows.write(lines)


def empty() -> None:
    """Take all invoices away, and what hangs on them."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE bare_invoice, invoices_invoice, ledger_entry CASCADE")


def peak_megabytes(path: Path) -> int:
    """Import by the real command in a program of its own, and return the most memory that it ever held."""
    command = [sys.executable, "-c", _MEASURED_COMMAND, "import", "invoices", str(path), "--merchant", "bench-imports"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stdout
    return int(said.rsplit("peak ", 1)[1]) // 1024
