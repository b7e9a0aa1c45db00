"""Reads a file of invoices, value by value, into a temporary table, and collects what cannot be used."""

from collections.abc import Sequence

from django.db import connection

from payorcrm.core.dates import DateOrder, parse_date
from payorcrm.core.headers import normalised
from payorcrm.core.money import is_currency, parse_minor
from payorcrm.core.staging import NULL, Bad, FirstRows, NotUsable, Reader, Value, bad_values, copy_rows, text_reader
from payorcrm.core.tables import BadRow, Batch, Layout, Table
from payorcrm.invoices.find_customers import CustomerBook
from payorcrm.merchants.models import Merchant

# The upload API of the original product first, then QuickBooks' reports, then what others call them.
LAYOUT = Layout(
    names={
        "invoice number": (
            "invoicenumber", "invoiceno", "invoicenum", "num", "invoice", "invoiceid", "documentnumber", "docnumber",
            "number", "no",
        ),
        "customer number": ("customernumber", "customerno", "customerid", "customercode", "accountnumber", "accountno"),
        "customer name": (
            "customer", "customername", "customerfullname", "companyname", "company", "client", "clientname", "name",
        ),
        "total": ("invoiceamount", "amount", "total", "totalamount", "invoicetotal", "originalamount"),
        "balance": ("balanceamount", "openbalance", "balance", "balancedue", "amountdue", "openamount", "outstanding"),
        "due date": ("duedate", "due", "invoiceduedate", "paymentduedate"),
        "invoice date": ("invoicedate", "date", "issuedate", "issuedon", "transactiondate", "txndate"),
        "currency": ("currency", "currencycode", "invoicecurrency"),
        "transaction type": ("transactiontype", "txntype", "type"),
    },
    required=(("invoice number",), ("customer number", "customer name"), ("due date",), ("total",)),
    exact=frozenset({"due date", "total", "balance"}),
    key=("invoice number",),
    sums=frozenset({"total", "balance"}),
)  # fmt: skip

_CREATE = """
DROP TABLE IF EXISTS pg_temp.imported_invoice;
CREATE TEMPORARY TABLE imported_invoice (
  row int, number text, customer_id uuid, issued_on date, due_on date, currency text, total bigint, balance bigint
) ON COMMIT DROP
"""
_COPY = "COPY imported_invoice (row, number, customer_id, issued_on, due_on, currency, total, balance) FROM STDIN"


class _Readers:
    """What turns each column of one file into values for COPY."""

    def __init__(self, table: Table, merchant: Merchant, dates: DateOrder | None) -> None:
        customers = CustomerBook(merchant)
        self._currency = merchant.currency
        self._plain = {
            "invoice number": Reader(text_reader(most=64, is_required=True)),
            "customer number": Reader(customers.by_number),
            "customer name": Reader(customers.by_name),
            "invoice date": Reader(lambda text: _date(text, dates)),
            "due date": Reader(lambda text: _date(text, dates)),
            "currency": Reader(lambda text: _currency(text, merchant.currency)),
            "transaction type": Reader(_invoices_only),
        }
        self._amounts: dict[str, Reader] = {}

    def read(self, batch: Batch) -> dict[str, Sequence[Value]]:
        """Return the values of a batch in the order of the COPY, and after them those that are only checked."""
        absent = [NULL] * len(batch.rows)
        values = {
            meaning: self._plain[meaning].read(batch.columns[meaning])
            for meaning in batch.columns
            if meaning in self._plain
        }
        currencies = values.get("currency", [self._currency] * len(batch.rows))
        return {
            "invoice number": values["invoice number"],
            **self._customers(batch, values),
            "invoice date": values.get("invoice date", absent),
            "due date": values["due date"],
            "currency": currencies,
            "total": self._read_amounts(batch.columns["total"], currencies),
            "balance": self._read_amounts(batch.columns["balance"], currencies)
            if "balance" in batch.columns
            else absent,
            **{meaning: values[meaning] for meaning in ("transaction type",) if meaning in values},
        }

    def _customers(self, batch: Batch, values: dict[str, list[Value]]) -> dict[str, Sequence[Value]]:
        by_number, by_name = values.get("customer number"), values.get("customer name")
        if by_number is None or by_name is None:
            meaning = "customer name" if by_number is None else "customer number"
            return {meaning: values[meaning]}
        chosen = zip(batch.columns["customer number"], by_number, by_name, strict=True)
        return {"customer number": [number if text.strip() else name for text, number, name in chosen]}

    def _read_amounts(self, texts: Sequence[str], currencies: Sequence[Value]) -> list[Value]:
        found = set(currencies)
        if len(found) == 1:
            return self._amount_reader(found.pop()).read(texts)
        return [self._amount_reader(currency)[text] for currency, text in zip(currencies, texts, strict=True)]

    def _amount_reader(self, currency: Value) -> Reader:
        code = self._currency if isinstance(currency, Bad) else currency
        if code not in self._amounts:
            self._amounts[code] = Reader(lambda text: _amount(text, code))
        return self._amounts[code]


def _date(text: str, order: DateOrder | None) -> str:
    if not text.strip():
        raise NotUsable("It is empty.")
    return parse_date(text, order).isoformat()


def _currency(text: str, default: str) -> str:
    code = text.strip().upper() or default
    if not is_currency(code):
        raise NotUsable("It is not a currency; write its three letters, such as USD.")
    return code


def _amount(text: str, currency: str) -> str:
    if not text.strip():
        raise NotUsable("It is empty; write 0.00 where nothing is owed.")
    minor = parse_minor(text, currency)
    if minor < 0:
        raise NotUsable("It is negative; credit notes and payments are not imported.")
    return str(minor)


def _invoices_only(text: str) -> str:
    if normalised(text) not in ("", "invoice", "inv"):
        raise NotUsable("This row is not an invoice; only invoices are imported.")
    return text


def stage_invoices(*, table: Table, merchant: Merchant, dates: DateOrder | None) -> list[BadRow]:
    """Fill the temporary table `imported_invoice` with the usable rows; return what is wrong with the others.

    What the file does not say is NULL there: the balance and the invoice date, where there is no such column.
    """
    readers = _Readers(table, merchant, dates)
    first_rows = FirstRows("invoice number")
    bad_rows: list[BadRow] = []
    with connection.cursor() as cursor:
        cursor.execute(_CREATE)
        with cursor.copy(_COPY) as copy:
            for batch in table.batches():
                columns = readers.read(batch)
                wrong, places = bad_values(batch, table, columns)
                repeated, repeated_places = first_rows.repeated(batch, table, columns["invoice number"])
                copy_rows(copy, batch.rows, list(columns.values())[:7], places | repeated_places)
                bad_rows += [*batch.bad_rows, *wrong, *repeated]
        cursor.execute("ANALYZE imported_invoice")
    return bad_rows
