"""`python -m farebox.db.programs` prints where the embedded PostgreSQL's own programs are: psql, pg_basebackup, …"""

import sys

from farebox.db.embedded import programs_dir

if __name__ == "__main__":
    sys.stdout.write(f"{programs_dir()}\n")
