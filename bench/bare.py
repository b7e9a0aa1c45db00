"""The application with two more addresses to compare with: `/bare/`, which writes, and `/bare/one/`, which reads.

`/bare/` is a Django view of four statements and one commit, those of pgbench's TPC-B-like transaction without its
first read: three updates and an insert. `/bare/one/` is a Django view of one query: it reads one user by the key
with the ORM, and answers with a word of it as plain text. Neither draws a template. All middleware of the product
stands before both; with a session's cookie it reads session and user, to know the language.
"""

import random
from uuid import uuid4

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from payorcrm.core.models import User

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


def one(request: HttpRequest) -> HttpResponse:
    """Read one row."""
    user = User.objects.filter(id=request.GET.get("id", uuid4())).first()
    return HttpResponse(user.email if user else "nobody", content_type="text/plain")


urlpatterns = [path("bare/", bare), path("bare/one/", one), path("", include("payorcrm.config.urls"))]
