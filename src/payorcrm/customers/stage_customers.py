"""Reads a file of customers, value by value, into a temporary table, and collects what cannot be used."""

import re
from collections.abc import Callable, Mapping, Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection

from payorcrm.core.staging import Bad, FirstRows, NotUsable, Reader, Value, bad_values, copy_rows, text_reader
from payorcrm.core.tables import BadRow, Layout, Table

# The upload API of the original product first, then QuickBooks' customer lists, then what others call them.
LAYOUT = Layout(
    names={
        "customer number": (
            "customerno", "customernumber", "customerid", "customercode", "accountnumber", "accountno", "number", "no",
        ),
        "display name": (
            "customer", "customerfullname", "customername", "displayname", "name", "fullname", "clientname",
        ),
        "company name": ("companyname", "company"),
        "first name": ("firstname", "contactfirstname", "givenname"),
        "last name": ("lastname", "contactlastname", "surname", "familyname"),
        "contact name": ("contactname", "contact", "primarycontact", "attention", "attn"),
        "e-mail": ("emailaddress1", "email", "emailaddress", "mainemail", "email1", "emails"),
        "second e-mail": ("emailaddress2", "email2", "ccemail", "secondaryemail"),
        "third e-mail": ("emailaddress3", "email3"),
        "phone": ("phone", "phonenumber", "phonenumbers", "mainphone", "telephone1", "telephone", "phone1"),
        "category": ("category", "customercategory", "customertype", "customergroup", "type", "class"),
        "address": ("address", "billingaddress", "billto", "mailingaddress", "fulladdress"),
        "street": ("street", "streetaddress", "address1", "addressline1", "billingstreet", "billingstreetaddress"),
        "street, second line": ("street2", "address2", "addressline2"),
        "city": ("city", "town", "billingcity"),
        "state": ("state", "province", "stateprovince", "billingstate", "region"),
        "postal code": ("zip", "zipcode", "postalcode", "postcode", "billingzip", "billingpostalcode"),
        "country": ("country", "billingcountry"),
    },
    required=(("customer number", "display name"), ("company name", "display name", "last name")),
    exact=frozenset(),
    key=("customer number", "display name"),
)  # fmt: skip

_MOST_CHARACTERS = {
    "customer number": 64,
    "display name": 200,
    "company name": 200,
    "first name": 100,
    "last name": 100,
    "contact name": 200,
    "phone": 40,
    "category": 64,
    "address": 500,
    "street": 120,
    "street, second line": 120,
    "city": 80,
    "state": 60,
    "postal code": 20,
    "country": 60,
}
_EMAILS = ("e-mail", "second e-mail", "third e-mail")
_CREATE = """
DROP TABLE IF EXISTS pg_temp.imported_customer;
CREATE TEMPORARY TABLE imported_customer (
  row int, number text, company_name text, first_name text, last_name text, emails text, phone text, category text,
  address text
) ON COMMIT DROP
"""


def stage_customers(table: Table) -> list[BadRow]:
    """Fill the temporary table `imported_customer` with the usable rows; return what is wrong with the others.

    What the file does not say is empty there. QuickBooks has no customer numbers: its display names, unique there,
    serve as numbers, and are also what its invoices name.
    """
    number = "customer number" if "customer number" in table.places else "display name"
    readers = {meaning: Reader(_reader_of(meaning, is_number=meaning == number)) for meaning in table.places}
    first_rows = FirstRows(number)
    bad_rows: list[BadRow] = []
    with connection.cursor() as cursor:
        cursor.execute(_CREATE)
        with cursor.copy("COPY imported_customer FROM STDIN") as copy:
            for batch in table.batches():
                values = {meaning: readers[meaning].read(texts) for meaning, texts in batch.columns.items()}
                wrong, places = bad_values(batch, table, values)
                repeated, repeated_places = first_rows.repeated(batch, table, values[number])
                copy_rows(copy, batch.rows, _columns(values, number), places | repeated_places)
                bad_rows += [*batch.bad_rows, *wrong, *repeated]
        cursor.execute("ANALYZE imported_customer")
    return bad_rows


def _reader_of(meaning: str, *, is_number: bool) -> Callable[[str], str]:
    if meaning in _EMAILS:
        return _read_emails
    most = 64 if is_number else _MOST_CHARACTERS[meaning]
    return text_reader(most=most, is_required=is_number, is_one_line=meaning not in ("address", "street"))


def _read_emails(text: str) -> str:
    """Read one address or several, as QuickBooks keeps them in one cell; they end up with a space between."""
    addresses = [address for address in re.split(r"[,;\s]+", text) if address]
    for address in addresses:
        if len(address) > 254 or not _is_address(address):
            raise NotUsable("It is not an e-mail address.")
    return " ".join(addresses)


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return "\\" not in text


def _columns(values: Mapping[str, Sequence[Value]], number: str) -> list[Sequence[str]]:
    """Return the columns of the temporary table after the row; rows with bad values are left out later."""
    count = len(values[number])
    rows = [
        _row(
            {meaning: "" if isinstance(value, Bad) else value for meaning, value in zip(values, row, strict=True)},
            number,
        )
        for row in zip(*values.values(), strict=True)
    ]
    return list(zip(*rows, strict=True)) if count else []


def _row(given: Mapping[str, str], number: str) -> tuple[str, ...]:
    first, last = given.get("first name", ""), given.get("last name", "")
    if not (first or last):
        first, last = _divided(given.get("contact name", ""))
    company = given.get("company name") or given.get("display name") or f"{first} {last}".strip()
    emails = dict.fromkeys(" ".join(given.get(meaning, "") for meaning in _EMAILS).split())
    plain = (given.get("phone", ""), given.get("category", ""))
    return (given[number], company, first, last, " ".join(emails), *plain, given.get("address") or _address(given))


def _divided(name: str) -> tuple[str, str]:
    first, _, last = name.rpartition(" ")
    return (first, last) if first else (last, "")


def _address(given: Mapping[str, str]) -> str:
    area = f"{given.get('state', '')} {given.get('postal code', '')}".strip()
    place = ", ".join(filter(None, (given.get("city", ""), area)))
    lines = (given.get("street", ""), given.get("street, second line", ""), place, given.get("country", ""))
    # An escaped line feed: these are texts for COPY already.
    return "\\n".join(filter(None, lines))
