"""The application with one more address, `/bare/`: a Django view of four statements and one commit, to compare with.

The statements are those of pgbench's TPC-B-like transaction without its first read: three updates and an insert.
"""

import random

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

ROWS = 1000
TABLES = """
CREATE TABLE IF NOT EXISTS bench_row (id int PRIMARY KEY, kind int NOT NULL, balance bigint NOT NULL);
CREATE TABLE IF NOT EXISTS bench_history (id int NOT NULL, amount int NOT NULL, at timestamptz NOT NULL DEFAULT now());
INSERT INTO bench_row SELECT n, n % 3, 0 FROM generate_series(1, 3 * %s) n ON CONFLICT DO NOTHING;
"""


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    """Update three rows, insert one, commit."""
    first, amount = random.randint(1, ROWS), random.randint(-5000, 5000)
    with transaction.atomic(), connection.cursor() as cursor:
        for number in (first, ROWS + first, 2 * ROWS + first):
            cursor.execute("UPDATE bench_row SET balance = balance + %s WHERE id = %s", [amount, number])
        cursor.execute("INSERT INTO bench_history (id, amount) VALUES (%s, %s)", [first, amount])
    return HttpResponse("done")


urlpatterns = [path("bare/", bare), path("", include("payorcrm.config.urls"))]
