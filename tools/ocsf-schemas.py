"""Compares our OCSF table with the published schema and writes JSON Schemas for tests.

usage: ocsf-schemas.py FOLDER < table.json

The table comes from `cargo xtask schemas`, which also provides the package that ships the schema.
Writes FOLDER/<class>__<profiles joined by +>.json for every combination of profiles that a class of
the table can use, and exits with 1 after listing every difference when there is one.
"""

import itertools
import json
import pathlib
import sys

from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

# Types of the table that the schema spells differently; all others are the same or end in `_t`.
SCALARS = {
    "string": "string_t",
    "integer": "integer_t",
    "long": "long_t",
    "float": "float_t",
    "boolean": "boolean_t",
    "timestamp": "timestamp_t",
    "json": "json_t",
}
# Ids that follow from the class: the table leaves their captions to the code.
DERIVED = {"class_uid", "category_uid", "type_uid"}


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    table = json.load(sys.stdin)
    schema = get_ocsf_schema(table["version"])
    faults = list(differences(table, schema))
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    count = write_schemas(table, schema, folder)
    print(f"OCSF {table['version']}: the table agrees with the schema; {count} JSON Schemas written")
    return 0


def differences(table, schema):
    """Every way in which the table says something else than the schema, as sentences."""
    for ours in table["classes"]:
        theirs = schema["classes"].get(ours["name"])
        if theirs is None:
            yield f"class {ours['name']} does not exist"
            continue
        facts = {
            "uid": theirs["uid"],
            "title": theirs["caption"],
            "category_uid": theirs.get("category_uid", 0),
        }
        for name, wanted in facts.items():
            if ours[name] != wanted:
                yield f"class {ours['name']}: {name} is {ours[name]!r}, published as {wanted!r}"
        category = theirs["attributes"]["category_uid"]["enum"][str(ours["category_uid"])]["caption"]
        if ours["category_name"] != category:
            yield f"class {ours['name']}: category is published as {category!r}"
        yield from attribute_differences(table, ours, theirs)
    for ours in table["objects"]:
        theirs = schema["objects"].get(ours["name"])
        if theirs is None:
            yield f"object {ours['name']} does not exist"
        else:
            yield from attribute_differences(table, ours, theirs)


def attribute_differences(table, ours, theirs):
    for attribute in ours["attributes"]:
        place = f"{ours['name']}.{attribute['name']}"
        published = theirs["attributes"].get(attribute["name"])
        if published is None:
            yield f"{place} does not exist"
            continue
        if "@deprecated" in published:
            yield f"{place} is deprecated"
        for name, mine, wanted in facts(table, attribute, published):
            if mine != wanted:
                yield f"{place}: {name} is {mine!r}, published as {wanted!r}"


def facts(table, attribute, published):
    """Pairs of what the table and the schema say about an attribute."""
    if published["type"] == "object_t":
        kind = published["object_type"]
        # The object named `object` is the open one.
        yield "type", attribute["type"], "json" if kind == "object" else kind
    else:
        yield "type", SCALARS.get(attribute["type"], attribute["type"]), published["type"]
    yield "list", attribute["list"], bool(published.get("is_array"))
    profiles = published.get("profiles") or [None]
    yield "profile", attribute["profile"], profiles[0]
    if profiles == [None]:
        yield "required", attribute["required"], published["requirement"] == "required"
    name = attribute["name"]
    if name not in DERIVED and name.endswith(("_id", "_ids")):
        yield "text", attribute["text"], published.get("sibling")
        captions = {int(key): value["caption"] for key, value in (published.get("enum") or {}).items()}
        mine = table["values"].get(attribute["values"], {})
        yield "values", {int(key): value for key, value in mine.items()}, captions


def write_schemas(table, schema, folder):
    generator = OcsfJsonSchemaEmbedded(schema)
    count = 0
    for ours in table["classes"]:
        profiles = sorted({a["profile"] for a in ours["attributes"] if a["profile"]})
        sizes = range(len(profiles) + 1)
        for chosen in itertools.chain.from_iterable(itertools.combinations(profiles, n) for n in sizes):
            written = generator.get_class_schema(ours["name"], list(chosen))
            path = folder / f"{ours['name']}__{'+'.join(chosen)}.json"
            path.write_text(json.dumps(written), encoding="utf-8")
            count += 1
    return count


if __name__ == "__main__":
    sys.exit(main())
