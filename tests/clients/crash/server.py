"""The server under test and its database: started, killed, started again on the same data."""

import csv
import functools
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BINARY = os.environ.get("PARLANCE_BIN", str(ROOT / "target" / "debug" / "parlance"))
# A request that gets no answer in this time has hung: no outage of a test is that long.
PATIENCE = 60


def free_port():
    return int(subprocess.check_output([ROOT / "tests" / "clients" / "free-port"]))


def wait_until(what, done, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.01)


class Sqlite:
    """A database file, read through SQLite itself."""

    def __init__(self, folder):
        self.file = Path(folder) / "parlance.db"
        self.url = f"sqlite://{self.file}"

    def rows(self, sql):
        with sqlite3.connect(self.file) as connection:
            cells = connection.execute(sql).fetchall()
        connection.close()
        return [tuple("" if cell is None else str(cell) for cell in row) for row in cells]

    def change(self, sql):
        with sqlite3.connect(self.file) as connection:
            connection.execute(sql)
        connection.close()

    def copy(self, name):
        """Another database with the same content; no server may be running."""
        other = Sqlite(self.file.parent)
        other.file = self.file.with_name(f"{name}.db")
        # What is still in the write-ahead log goes into the file first.
        with sqlite3.connect(self.file) as connection:
            connection.execute("pragma wal_checkpoint(truncate)")
        connection.close()
        shutil.copy(self.file, other.file)
        return other

    def close(self):
        pass


class Postgres:
    """A cluster of its own, which may be killed too; read through psql."""

    def __init__(self, folder, cluster=None, database="parlance"):
        self.cluster = cluster or Path(folder) / "postgres"
        self.database = database
        if cluster is None:
            self.start()
            self.change(f"create database {database}", database="postgres")
        server = self.start()
        self.url = server.rsplit("/", 1)[0] + "/" + database

    def start(self):
        return self._script("start").strip()

    def kill(self):
        self._script("kill")

    def stop(self):
        self._script("stop")

    def _script(self, command):
        done = subprocess.run(
            [ROOT / "tests" / "postgres", command, self.cluster],
            stdout=subprocess.PIPE, check=True, text=True,
        )
        return done.stdout

    @functools.cached_property
    def psql(self):
        programs = subprocess.run(
            [ROOT / "tests" / "postgres", "bin"], stdout=subprocess.PIPE, check=True, text=True
        )
        return f"{programs.stdout.strip()}/psql"

    def _psql(self, sql, database):
        port = (self.cluster / "port").read_text().strip()
        command = [self.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "--csv", "-t",
                   "-h", "127.0.0.1", "-p", port, "-U", "parlance", "-d", database, "-c", sql]
        return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout

    def rows(self, sql):
        return [tuple(row) for row in csv.reader(self._psql(sql, self.database).splitlines())]

    def change(self, sql, database=None):
        self._psql(sql, database or self.database)

    def copy(self, name):
        """Another database with the same content; nobody may be connected."""
        # Connections of a killed server end as soon as PostgreSQL notices.
        busy = f"select count(*) from pg_stat_activity where datname = '{self.database}'"
        wait_until("the old connections end", lambda: self._psql(busy, "postgres").strip() == "0")
        self.change(f"create database {name} template {self.database}", database="postgres")
        return Postgres(None, self.cluster, name)

    def close(self):
        self.stop()


class Server:
    """The real binary."""

    def __init__(self, folder, database):
        self.folder = Path(folder)
        self.database = database
        self.port = free_port()
        self.process = None
        self.settings = {}

    def start(self):
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ROCKET_")},
            "ROCKET_ADDRESS": "127.0.0.1",
            "ROCKET_PORT": str(self.port),
            "ROCKET_SOCKET_PORT": "0",
            "ROCKET_BCRYPT_COST": "4",
            "ROCKET_RATE_LIMITS": "false",
            "ROCKET_LOG_FILTER": "warn",
            "ROCKET_DATABASES": f'{{chat={{url="{self.database.url}"}}}}',
            **self.settings,
        }
        with open(self.folder / "server.log", "a") as log:
            self.process = subprocess.Popen(
                [BINARY], cwd=self.folder, env=environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        wait_until("the server answers", self.answers)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}: {self.log()}")
        try:
            return Client(self.port).ask("GET", "/api/me").status == 401
        except OSError:
            return False

    def log(self):
        return (self.folder / "server.log").read_text()[-4000:]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Client:
    """One connection, kept open. Any way in which the server may vanish is an OSError."""

    def __init__(self, port, cookies=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.headers = {"Cookie": cookies} if cookies else {}

    def send(self, method, path, fields=None, headers=None):
        body = None if fields is None else json.dumps(fields)
        given = {**self.headers, **(headers or {})}
        if body is not None:
            given["Content-Type"] = "application/json"
        try:
            self.connection.request(method, path, body, given)
            return self.connection.getresponse()
        except http.client.HTTPException as error:
            self.connection.close()
            raise ConnectionError(str(error)) from error
        except OSError:
            self.connection.close()
            raise

    def ask(self, method, path, fields=None, headers=None):
        try:
            return Answer(self.send(method, path, fields, headers))
        except http.client.HTTPException as error:
            self.connection.close()
            raise ConnectionError(str(error)) from error
        except TimeoutError:
            raise AssertionError(f"{method} {path} had no answer in {PATIENCE} s") from None
