"""Forgets the tokens that services have from the hub's settings; run before the hub starts.

The hub adds the tokens of its settings to its database and keeps earlier ones, so a token that
was replaced would go on opening everything.
"""
import os
import sqlite3
import sys

path = sys.argv[1]
if os.path.exists(path):
    with sqlite3.connect(path) as database:
        # With foreign keys what belongs to a token goes with it.
        database.execute("PRAGMA foreign_keys = ON")
        if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'api_tokens'").fetchone():
            database.execute("DELETE FROM api_tokens WHERE service_id IS NOT NULL AND note = 'from config'")
