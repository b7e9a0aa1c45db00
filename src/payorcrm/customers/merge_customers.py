"""Writes staged customers and their contacts, a few statements for any number. An empty value erases nothing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from payorcrm.core.ids import UUID7_IN_SQL, uuid7_start
from payorcrm.customers.lock_numbers import lock_customer_numbers


def drop_rows(rows: set[int]) -> None:
    """Take rows out of what is merged."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM imported_customer WHERE row = ANY(%s)", [list(rows)])


def merge(*, merchant_id: UUID, import_id: UUID, now: datetime) -> tuple[int, int, int]:
    """Write everything in the caller's transaction; return how many customers were new, changed, and as before.

    What it changes of known customers it writes down as `CustomerChange` of the import, which the caller records.
    """
    given: dict[str, Any] = {
        "merchant_id": merchant_id,
        "import_id": import_id,
        "now": now,
        "uuid7_start": uuid7_start(),
    }
    lock_customer_numbers(merchant_id)
    with connection.cursor() as cursor:
        cursor.execute(_MATCH, given)
        for statement in (_UPDATE, _INSERT, _UPDATE_CONTACTS, _INSERT_CONTACTS, _INSERT_MORE_CONTACTS):
            cursor.execute(statement, given)
        cursor.execute(_COUNT)
        new_count, changed_count, unchanged_count = cursor.fetchone()
    return new_count, changed_count, unchanged_count


def new_customer_ids() -> list[UUID]:
    """Return the customers that `merge` made, within its transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM customer_match WHERE is_new ORDER BY row")
        return [customer_id for (customer_id,) in cursor.fetchall()]


# Every staged row with its customer, who is locked in id order, and what becomes of both.
_MATCH = """
DROP TABLE IF EXISTS pg_temp.customer_match;
CREATE TEMPORARY TABLE customer_match ON COMMIT DROP AS
SELECT r.row, c.id, false AS is_new, false AS is_changed
  FROM imported_customer r JOIN customers_customer c ON c.merchant_id = %(merchant_id)s AND c.number = r.number
 ORDER BY c.id FOR UPDATE OF c
"""
# Writes down for each row of `changed`, which has a `customer_id`, the facts that are not what they were.
_NOTED = f"""
noted AS (
  INSERT INTO customers_customerchange (id, merchant_id, customer_id, source_id, at, changes)
  SELECT {UUID7_IN_SQL}, %(merchant_id)s, customer_id, %(import_id)s, %(now)s, (
           SELECT jsonb_agg(jsonb_build_array(what, before, after) ORDER BY place)
             FROM ROWS FROM (unnest(ARRAY[{{what}}]), unnest(ARRAY[{{before}}]), unnest(ARRAY[{{after}}]))
                  WITH ORDINALITY AS fact (what, before, after, place)
            WHERE before <> after)
    FROM changed
)
"""  # noqa: S608


def _noted(*facts: tuple[str, str, str]) -> str:
    """Return the part of a statement that writes down facts, each by its label and the columns before and after."""
    quoted = [(f"'{label}'", before, after) for label, before, after in facts]
    what, before, after = (", ".join(each) for each in zip(*quoted, strict=True))
    return _NOTED.format(what=what, before=before, after=after)


_OF_KNOWN = "changed AS (SELECT added.* FROM added JOIN customer_match ON id = customer_id WHERE NOT is_new)"
_UPDATE = f"""
WITH wanted AS (
  SELECT m.id AS customer_id, coalesce(nullif(r.company_name, ''), c.company_name) AS company_name,
         coalesce(nullif(r.phone, ''), c.phone) AS phone, coalesce(nullif(r.category, ''), c.category) AS category,
         coalesce(nullif(r.address, ''), c.address) AS address,
         c.company_name AS old_company_name, c.phone AS old_phone, c.category AS old_category, c.address AS old_address
    FROM customer_match m JOIN imported_customer r USING (row) JOIN customers_customer c ON c.id = m.id
), changed AS (
  UPDATE customers_customer c
     SET company_name = w.company_name, phone = w.phone, category = w.category, address = w.address
    FROM wanted w
   WHERE w.customer_id = c.id
     AND (w.company_name, w.phone, w.category, w.address) <> (c.company_name, c.phone, c.category, c.address)
  RETURNING w.*
), {
    _noted(
        ("Name", "old_company_name", "company_name"),
        ("Category", "old_category", "category"),
        ("Phone", "old_phone", "phone"),
        ("Address", "old_address", "address"),
    )
}
UPDATE customer_match SET is_changed = true FROM changed WHERE changed.customer_id = customer_match.id
"""  # noqa: S608
_INSERT = f"""
WITH added AS (
  INSERT INTO customers_customer
    (id, merchant_id, number, company_name, category, phone, address, language, is_reminded, created_at)
  SELECT {UUID7_IN_SQL}, %(merchant_id)s, number, coalesce(nullif(company_name, ''), number), category, phone, address,
         '', true, %(now)s
    FROM imported_customer r WHERE NOT EXISTS (SELECT FROM customer_match m WHERE m.row = r.row)
  RETURNING id, number
)
INSERT INTO customer_match SELECT r.row, added.id, true, false FROM added JOIN imported_customer r USING (number)
"""  # noqa: S608
_UPDATE_CONTACTS = f"""
WITH wanted AS (
  SELECT p.id, m.id AS customer_id, coalesce(nullif(r.first_name, ''), p.first_name) AS first_name,
         coalesce(nullif(r.last_name, ''), p.last_name) AS last_name,
         coalesce(nullif(split_part(r.emails, ' ', 1), ''), p.email) AS email,
         p.first_name AS old_first_name, p.last_name AS old_last_name, p.email AS old_email
    FROM customer_match m JOIN imported_customer r USING (row)
    JOIN customers_contact p ON p.customer_id = m.id AND p.is_primary
), changed AS (
  UPDATE customers_contact p SET first_name = w.first_name, last_name = w.last_name, email = w.email
    FROM wanted w WHERE w.id = p.id AND (w.first_name, w.last_name, w.email) <> (p.first_name, p.last_name, p.email)
  RETURNING w.*
), {
    _noted(
        ("First name", "old_first_name", "first_name"),
        ("Last name", "old_last_name", "last_name"),
        ("E-mail", "old_email", "email"),
    )
}
UPDATE customer_match SET is_changed = true FROM changed WHERE changed.customer_id = customer_match.id
"""  # noqa: S608
_INSERT_CONTACTS = f"""
WITH added AS (
  INSERT INTO customers_contact (id, merchant_id, customer_id, first_name, last_name, email, phone, is_primary)
  SELECT {UUID7_IN_SQL}, %(merchant_id)s, m.id, r.first_name, r.last_name, split_part(r.emails, ' ', 1), '', true
    FROM customer_match m JOIN imported_customer r USING (row)
   WHERE r.first_name || r.last_name || r.emails <> ''
     AND NOT EXISTS (SELECT FROM customers_contact p WHERE p.customer_id = m.id AND p.is_primary)
  RETURNING customer_id, first_name, last_name, email
), {_OF_KNOWN}, {
    _noted(
        ("First name", "''", "first_name"),
        ("Last name", "''", "last_name"),
        ("E-mail", "''", "email"),
    )
}
UPDATE customer_match SET is_changed = true FROM added WHERE added.customer_id = customer_match.id
"""  # noqa: S608
# Further addresses become contacts of their own; reminders go to the primary one.
_INSERT_MORE_CONTACTS = f"""
WITH added AS (
  INSERT INTO customers_contact (id, merchant_id, customer_id, first_name, last_name, email, phone, is_primary)
  SELECT {UUID7_IN_SQL}, %(merchant_id)s, m.id, '', '', more.email, '', false
    FROM customer_match m JOIN imported_customer r USING (row)
   CROSS JOIN unnest((string_to_array(r.emails, ' '))[2:]) AS more (email)
   WHERE NOT EXISTS (
     SELECT FROM customers_contact p WHERE p.customer_id = m.id AND lower(p.email) = lower(more.email)
   )
  RETURNING customer_id, email
), {_OF_KNOWN}, {_noted(("Further contact", "''", "email"))}
UPDATE customer_match SET is_changed = true
  FROM (SELECT DISTINCT customer_id FROM added) added WHERE added.customer_id = customer_match.id
"""  # noqa: S608
_COUNT = """
SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE is_changed AND NOT is_new),
       count(*) FILTER (WHERE NOT is_changed AND NOT is_new) FROM customer_match
"""
