"""Loads CloudTrail's objects into a Parquet file with nested columns: what DuckDB itself finds in them.

    duckdb-load.py FOLDER FILE
"""

import sys

import duckdb

folder, file = sys.argv[1:]
connection = duckdb.connect()
connection.execute("SET preserve_insertion_order = false")
connection.execute(
    f"""
    COPY (
        SELECT unnest(Records) AS record
        FROM read_json('{folder}/**/*.json.gz', maximum_object_size = 268435456)
    ) TO '{file}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)
    """
)
print(connection.execute(f"SELECT count(*) FROM '{file}'").fetchone()[0])
