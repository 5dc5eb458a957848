"""Baseline: django-hordak, by its public API: one transfer per charge, with the wallet locked and its balance checked.

`run_hordak.py PROCESSES` runs in an environment of its own, on the database that DATABASE_URL names (libpq's form). For
every line `seconds` it says how many charges were done, in how many seconds, and how long each took.
"""

import json
import multiprocessing
import os
import sys
import time

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

PROCESSES = int(sys.argv[1])
settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["HORDAK_NAME"],
            "USER": os.environ["HORDAK_USER"],
            "HOST": os.environ["HORDAK_HOST"],
            "CONN_MAX_AGE": None,
        }
    },
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=True,
    CURRENCIES=["USD"],
    DEFAULT_CURRENCY="USD",
    HORDAK_INTERNAL_CURRENCY="USD",
)
django.setup()

from hordak.models import Account, AccountType  # noqa: E402  (Django's order)
from moneyed import Money  # noqa: E402

PRICE = Money("0.01", "USD")


def wallet() -> tuple[int, int]:
    """A wallet with money, and what is earned from it. Fresh ones each round: a balance is added up over all legs."""
    cash = Account.objects.create(name="cash", type=AccountType.asset, currencies=["USD"])
    earned = Account.objects.create(name="earned", type=AccountType.income, currencies=["USD"])
    payer = Account.objects.create(name="payer", type=AccountType.liability, currencies=["USD"])
    with transaction.atomic():
        payer.transfer_to(cash, Money("1000000", "USD"))
    assert payer.get_balance() >= PRICE
    return payer.pk, earned.pk


def charge(payer_id: int, earned: Account) -> None:
    """One charge: the wallet's row is locked, so that two can't spend the same money."""
    with transaction.atomic():
        payer = Account.objects.select_for_update().get(pk=payer_id)
        assert payer.get_balance() >= PRICE
        earned.transfer_to(payer, PRICE)


def charges(payer_id: int, earned_id: int, end: float) -> list[float]:
    """Charges until then; how long each took."""
    earned = Account.objects.get(pk=earned_id)
    latencies = []
    while (start := time.monotonic()) < end:
        charge(payer_id, earned)
        latencies.append(time.monotonic() - start)
    return latencies


def main() -> None:
    call_command("migrate", verbosity=0)
    connection.close()  # each process has its own
    with multiprocessing.Pool(PROCESSES) as pool:
        print("ready", flush=True)
        for line in sys.stdin:
            payer_id, earned_id = wallet()
            start = time.monotonic()
            end = start + float(line)
            found = pool.starmap(charges, [(payer_id, earned_id, end)] * PROCESSES, chunksize=1)
            latencies = [one for part in found for one in part]
            took_s = time.monotonic() - start
            print(json.dumps({"done": len(latencies), "took_s": took_s, "latencies": latencies}), flush=True)


if __name__ == "__main__":
    main()
