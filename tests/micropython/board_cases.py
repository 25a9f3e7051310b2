# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The cases that the scripts check, by script and group: from the vectors, and from cases/."""

import json
from pathlib import Path
from typing import Any

from ndks_protocol import errors, framing

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "protocol", ROOT / "firmware")
# Modules that need CircuitPython, and those of hosts
ELSEWHERE = {ROOT / "firmware/ndks_unit" / name for name in ("rp2040.py", "fast_bits/lanes.py")} | {
    ROOT / "protocol/ndks_protocol" / name for name in ("commands.py", "layout.py", "service.py", "texts.py")
}
# What is kept of a step
KEPT = ("command", "request_id", "after_ms", "restart", "flash", "case_open", "files_writable", "dropped")
Groups = dict[str, list[Any]]  # cases by group


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def vectors(name: str) -> dict[str, Any]:
    return load(ROOT / "protocol/vectors" / f"{name}.json")


def own_cases(name: str) -> Groups:
    """Return the cases of this folder, which are already in groups."""
    cases = load(Path(__file__).parent / "cases" / f"{name}.json")
    del cases["about"]
    return cases


def portable_modules() -> list[str]:
    found = [(file, package) for package in PACKAGES for file in package.glob("ndks_*/**/*.py")]
    files = [(file, package) for file, package in found if file not in ELSEWHERE]
    return sorted(".".join(file.relative_to(package).with_suffix("").parts) for file, package in files)


def frame_groups() -> Groups:
    frames = vectors("frames")
    return {"encode": frames["good"], "decode": frames["good"], "drop": frames["bad"]}


def generator_groups() -> Groups:
    paper = vectors("paper")
    return {
        "generator": vectors("generator")["cases"],
        "operators": vectors("operators")["cases"],
        "paper": paper["keys"],
        "worked_example": [paper["worked_example"]],
        **own_cases("parameters"),
    }


def export_groups() -> Groups:
    suite = vectors("suite")
    return {"export": [suite["network"] | entry for entry in suite["export"]]}


def command_groups() -> Groups:
    commands = vectors("commands")
    unit = {"uid": commands["uid"], "entropy": commands["entropy"]}
    return {"unit": [unit], "step": [as_on_the_line(step) for step in commands["steps"]]}


def as_on_the_line(step: dict[str, Any]) -> dict[str, Any]:
    """Return a step with the payloads on the line only, to save heap."""
    kind, answer = framing.ERROR, f"{step.get('error', 0):04x}"
    if "answer" in step:
        kind, answer = step["command"] | framing.ANSWER, step["answer"]
    kept = {name: step[name] for name in KEPT if name in step}
    return kept | {"sent": step.get("sent", step["request"]), "kind": kind, "received": step.get("received", answer)}


def conversation_cases() -> list[tuple[str, Any]]:
    """Each conversation begins with the start of a unit of its own."""
    published = vectors("conversations")
    unit = {name: published[name] for name in ("uid", "entropy")}
    cases: list[tuple[str, Any]] = []
    for talk in published["conversations"]:
        first, *others = talk["steps"]
        found = [("interrupted", unit | {"flash": talk["before"]})] if "before" in talk else [("unit", unit)]
        steps = [first | {"restart": True}, *others]
        cases += [*found, *(("step", as_on_the_line(step)) for step in steps)]
    return cases


def capsule_groups() -> Groups:
    """Return the cases with error codes, because a board has no error names."""
    capsules, suite = vectors("capsules"), vectors("suite")
    networks, codes = capsules["networks"], {name: code for code, name in errors.TABLE.items()} | {"OK": 0}
    good = [networks[case["network"]] | case for case in capsules["good"]]
    bad = [networks[case["network"]] | case | {"error": codes[case["error"]]} for case in capsules["bad"]]
    windows = [
        [(number, allow_jump, codes[result]) for number, allow_jump, result in case] for case in capsules["windows"]
    ]
    return {"good": good + [suite["network"] | case for case in suite["capsules"]], "bad": bad, "window": windows}


def record_groups() -> Groups:
    records = vectors("records") | {"uid": bytes(8).hex()}
    # Every index except the next one makes a record of 112 bytes: the log fills up twice, once per snapshot.
    compacting = {"acknowledged": list(range(1, 160, 2)), "next_index": 160, "erasures": 2}
    return {"written": [records], "read": [records], "compacted": [records | compacting]}


def session_groups() -> Groups:
    bindings = vectors("bindings")
    sessions = {name: vectors("sessions")[name] for name in ("sessions", "low_order")}
    both = bindings["laptops"] + bindings["transport_codes"]
    return {"session": sessions["sessions"], "low_order": sessions["low_order"], "binding": both}


def x25519_groups() -> Groups:
    published, rfc = vectors("x25519"), own_cases("rfc7748")
    few = [case for case in rfc["iterated"] if case["times"] <= 1000]  # 1,000,000 take hours there
    product = rfc["product"] + published["products"]
    return rfc | {"product": product, "iterated": few, "low_order": published["low_order"]}


def package_groups() -> Groups:
    packages = vectors("packages")
    return {"good": packages["good"], "bad": packages["bad"]}


def flash_groups() -> list[tuple[str, Any]]:
    """Return the cases in order: a conversation, then conversations that start with the flash after a power cut."""
    flash = vectors("flash")
    unit = {name: flash[name] for name in ("uid", "entropy")}
    binding = flash["interrupted_binding"]
    cases = [("unit", unit), *(("step", as_on_the_line(step)) for step in flash["steps"])]
    cases.append(("interrupted", unit | {"flash": binding["before"]}))
    cases += [("step", as_on_the_line(step)) for step in binding["steps"]]
    for erasure in flash["interrupted_erasures"].values():
        cases += [("interrupted", unit | {"flash": erasure["before"]}), ("next_start", erasure["after"])]
    return cases + [("record", flash["bindings"][0] | record) for record in flash["records"]]


CHECKS: dict[str, Groups] = {
    "check_imports": {"import": portable_modules()},
    "check_frames": frame_groups(),
    "check_layout": own_cases("layout"),
    "check_kdf": own_cases("rfc4231"),
    "check_hashes": own_cases("rfc6234") | own_cases("rfc5869"),
    "check_x25519": x25519_groups(),
    "check_packages": package_groups(),
    "check_generator": generator_groups(),
    "check_exports": export_groups(),
    "check_capsules": capsule_groups(),
    "check_session": session_groups(),
    "check_commands": command_groups(),
    "check_records": record_groups(),
}


def in_order(groups: Groups) -> list[tuple[str, Any]]:
    return [(group, case) for group, cases in groups.items() for case in cases]
