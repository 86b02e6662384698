"""Checkpoints that an attacker would write, for tests: each file, and what must be said about it."""

import gzip
import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.pipeline.networks import SMALL, block, config, nemo_like, torch_file, untrained_weights, write_archive

YAML = "not plain YAML"
PLAIN = "not a file of plain weights"
TABLE = "table of blocks"


class Payload:
    """Runs a command when unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return (os.system, (f"touch {self.marker}",))


def write_all(folder: Path, marker: Path) -> dict[str, str]:
    """Write every hostile file into ``folder``; name of the file -> text that its refusal must have."""
    expected: dict[str, str] = {}
    for make in (_configurations, _tables, _archives, _weights, _torch_files):
        make(folder, expected)
    evil = torch_file({"ema_state_dict": Payload(marker)})
    for name, content in (("payload", evil), ("payload_old", pickle.dumps(Payload(marker)))):
        nemo_like(folder / f"{name}.nemo", config(SMALL), content)
        expected[f"{name}.nemo"] = PLAIN
    (folder / "payload.pt").write_bytes(evil)
    expected["payload.pt"] = PLAIN
    return expected


def _configurations(folder: Path, expected: dict[str, str]) -> None:
    laughs = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n"
    laughs += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    merged = "a0: &a0 {x: 1}\n" + "".join(
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)
    )
    texts = {
        "python_tag": "a: !!python/object/apply:os.system ['true']", "alias_bomb": laughs, "merge_bomb": merged,
        "nested": "[" * 500_000, "nested_keys": "".join(" " * n + "a:\n" for n in range(900)), "loop": "&a [*a]",
        "sixties": "a: " + ":".join(["59"] * 600_000), "digits": "a: " + "9" * 1_900_000, "binary": "a: !!binary aGE=",
        "odd_bytes": b"\xff\xfe\x00\xd8",
    }  # fmt: skip
    for name, text in texts.items():
        content = text if isinstance(text, bytes) else text.encode()
        write_archive(folder / f"yaml_{name}.nemo", {"model_config.yaml": content, "model_weights.ckpt": b""})
        expected[f"yaml_{name}.nemo"] = YAML
    write_archive(folder / "yaml_list.nemo", {"model_config.yaml": b"[1]", "model_weights.ckpt": b""})
    expected["yaml_list.nemo"] = "holds no settings"


def _tables(folder: Path, expected: dict[str, str]) -> None:
    def table(name: str, blocks: list[Any], message: str = TABLE, **settings: Any) -> None:
        whole = config([block(48, 1)])
        whole["encoder"] |= {"jasper": blocks, **settings}
        nemo_like(folder / f"table_{name}.nemo", whole, b"")
        expected[f"table_{name}.nemo"] = message

    table("filters", [block(10**9, 33)])
    table("repeat", [block(48, 33, repeat=10**6)])
    table("kernel", [block(48, 10**9)])
    table("kernel_factor", [block(48, 33, kernel_size_factor=1e300)])
    table("dilation", [block(48, 33, dilation=[10**12])])
    table("stride", [block(48, 33, stride=[10**6])])
    table("strides", [block(48, 33, stride=[16], repeat=60)])
    table("blocks", [block(8, 1)] * 5000)
    table("terabytes", [block(16384, 4095, separable=False, repeat=64)] * 200)
    table("dense", [block(16384, 1, residual=True, residual_dense=True)] * 250)
    table("heads", [block(48, 33, heads="all")])
    table("groups", [block(48, 33, groups=7)])
    table("squeeze", [block(48, 33, se=True, se_reduction_ratio=0)])
    table("true", [block(True, 33)])
    table("other_steps", [block(48, 33, stride=[2], residual=True)])
    table("splicing", [block(48, 33)], "frame_splicing", frame_splicing=10**9)
    table("larger_than_its_weights", [block(16384, 1, separable=False), block(16384, 1, separable=False)], PLAIN)


def _archives(folder: Path, expected: dict[str, str]) -> None:
    for number, name in enumerate(("/etc/evil", "../evil", "a/../../evil", "..\\evil")):
        write_archive(folder / f"tar_outside{number}.nemo", {name: b"x"})
        expected[f"tar_outside{number}.nemo"] = "outside of the archive"
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE):
        _headers(folder / f"tar_link{kind.decode()}.nemo", _header("model_config.yaml", kind))
        expected[f"tar_link{kind.decode()}.nemo"] = "link or a device"
    settings = _file("model_config.yaml", yaml.safe_dump(config(SMALL)).encode())
    huge = {
        "weights": (settings + _header("model_weights.ckpt", size=100 << 30), "over the limit"),
        "weights_for_its_table": (settings + _header("model_weights.ckpt", size=1 << 30), "over the limit"),
        "other": (_header("tokenizer.model", size=100 << 30), "over the limit"),
        "long_name": (_header("x", tarfile.GNUTYPE_LONGNAME, 8 << 30), "claims"),
        "pax": (_header("x", tarfile.XHDTYPE, 8 << 30), "claims"),
        "many": (b"".join(_header(f"x{n}") for n in range(5000)), "more than 64 members"),
        "long_names": (_file("././@LongLink", b"x" * 600, tarfile.GNUTYPE_LONGNAME) * 5000, "not a readable"),
    }
    for name, (content, message) in huge.items():
        _headers(folder / f"tar_huge_{name}.nemo", content)
        expected[f"tar_huge_{name}.nemo"] = message
    bomb = b"".join(_file(f"x{n}", bytes(16 << 20)) for n in range(4)) + _header("model_config.yaml", size=100 << 30)
    (folder / "tar_gzip_bomb.nemo").write_bytes(gzip.compress(bomb, 1))
    expected["tar_gzip_bomb.nemo"] = "over the limit"
    for name, content in (
        ("empty", b""),
        ("page", b"<html></html>"),
        ("gzip", b"\x1f\x8b" + bytes(100)),
        ("bz2", b"BZh9" + bytes(50)),
    ):
        (folder / f"no_{name}.nemo").write_bytes(content)
        expected[f"no_{name}.nemo"] = f"no_{name}.nemo"


def _weights(folder: Path, expected: dict[str, str]) -> None:
    import torch

    def state(name: str, change: Callable[[dict[str, Any]], object], message: str) -> None:
        weights = untrained_weights(SMALL)
        change(weights)
        nemo_like(folder / f"state_{name}.nemo", config(SMALL), torch_file(weights))
        expected[f"state_{name}.nemo"] = message

    first, large = "encoder.encoder.0.mconv.0.conv.weight", torch.zeros(1)
    state("nan", lambda w: w[first].view(-1)[0].fill_(float("nan")), "NaN")
    state("infinite", lambda w: w["decoder.decoder_layers.0.bias"][:1].fill_(float("inf")), "NaN")
    state("missing", lambda w: w.pop(first), f"1 missing, such as '{first}'")
    state("additional", lambda w: w.update({"encoder.x": large}), "1 additional, such as 'encoder.x'")
    state("misshaped", lambda w: w.update({first: w[first][:, :, :31]}), f"{first} is (64, 1, 31), not (64, 1, 33)")
    state("endless", lambda w: w.update({first: large.expand(10**6, 10**5, 33)}), "do not fit")
    state("whole_numbers", lambda w: w.update({first: w[first].long()}), "not one of plain numbers")
    state("sparse", lambda w: w.update({first: w[first].to_sparse()}), "not one of plain numbers")
    state("list", lambda w: w.update({first: [1.0]}), "table of tensors")
    state("numbers", lambda w: w.update({1: 2}), "table of tensors")
    nemo_like(folder / "state_other.nemo", config(SMALL), torch_file([1, 2]))
    expected["state_other.nemo"] = "table of tensors"
    settings = config([block(4096, 1, separable=False), block(4096, 1, separable=False)], features=64)
    shapes = {
        "encoder.encoder.0.mconv.0.conv.weight": (4096, 64, 1),
        "encoder.encoder.1.mconv.0.conv.weight": (4096, 4096, 1),
    }
    weights = {name: large.expand(shape) for name, shape in shapes.items()}
    for number in (0, 1):
        for part in ("weight", "bias", "running_mean", "running_var"):
            weights[f"encoder.encoder.{number}.mconv.1.{part}"] = large.expand(4096)
    weights |= {
        "decoder.decoder_layers.0.weight": large.expand(29, 4096, 1),
        "decoder.decoder_layers.0.bias": large.expand(29),
    }
    nemo_like(folder / "state_shared.nemo", settings, torch_file(weights))
    expected["state_shared.nemo"] = "more of them than the file holds"


def _torch_files(folder: Path, expected: dict[str, str]) -> None:
    import torch

    honest = torch_file({"ema_state_dict": {"x": torch.zeros(1000)}})
    old = torch_file({"x": torch.zeros(3)}, _use_new_zipfile_serialization=False)
    contents = {
        "deflated": _zipped(honest, compression=zipfile.ZIP_DEFLATED),
        "bomb": _zipped(honest, zeros=256 << 20),
        "overlapping": _overlapping(honest),
        "twins": _zipped(honest, twice=True),
        "cut": honest[: len(honest) // 2],
        "no_pickle": _zip({"x/readme": b"hello"}),
        "short_storage": _zipped(honest, storage=4),
        "old_giant": old.replace(b"K\x03N", b"\x8a\x06" + (10**13).to_bytes(6, "little") + b"N"),
        "old_cut": old[:60],
        "nested": _zip({"x/data.pkl": b"\x80\x02" + b"]" * 10**6 + b"a" * (10**6 - 1) + b".", "x/version": b"3"}),
        "contents": honest + _contents(500_000),
        "torchscript": _zip({"x/data.pkl": b"\x80\x02}.", "x/constants.pkl": b"\x80\x02).", "x/version": b"3"}),
    }  # fmt: skip
    for name, content in contents.items():
        (folder / f"torch_{name}.pt").write_bytes(content)
        expected[f"torch_{name}.pt"] = "has no ema_state_dict" if name == "nested" else PLAIN
    with (folder / "torch_100_gigabytes.pt").open("wb") as stream:
        stream.write(honest[:100])
        stream.truncate(100 << 30)  # a sparse file
    expected["torch_100_gigabytes.pt"] = "has more than"


def _header(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size, member.linkname = kind, size, "/etc/passwd" if kind in (b"1", b"2") else ""
    return member.tobuf(tarfile.GNU_FORMAT)


def _file(name: str, content: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    return _header(name, kind, len(content)) + content + bytes(-len(content) % 512)


def _headers(path: Path, content: bytes) -> None:
    path.write_bytes(content + bytes(10240))


def _zip(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _zipped(
    honest: bytes, *, compression: int = zipfile.ZIP_STORED, zeros: int = 0, twice: bool = False, storage: int = 0
) -> bytes:
    """An honest torch file written anew with one thing wrong."""
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        members = {member.filename: archive.read(member) for member in archive.infolist()}
    data = next(name for name in members if name.endswith("data/0"))
    members[data] = members[data][: storage or None]
    content = bytearray(_zip(members, compression))
    if not zeros and not twice:
        return bytes(content)
    buffer = io.BytesIO(bytes(content))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a name that is there already
            archive.writestr(data if twice else "archive/data/1", bytes(zeros))
    return buffer.getvalue()


def _overlapping(honest: bytes) -> bytes:
    """The table of contents names the same bytes a thousand times under other names."""
    buffer = io.BytesIO(honest)
    with zipfile.ZipFile(buffer, "a") as archive:
        last = max(archive.infolist(), key=lambda member: member.file_size)
        for number in range(1000):
            import copy

            again = copy.copy(last)
            again.filename = f"archive/data/{1000 + number}"
            archive.filelist.append(again)
        archive._didModify = True
    return buffer.getvalue()


def _contents(n_members: int) -> bytes:
    """A table of contents so long that reading it alone fills the memory."""
    entry = bytearray(zipfile.sizeCentralDir)  # type: ignore
    entry[:4] = b"PK\x01\x02"
    table = bytes(entry) * n_members
    return table + b"PK\x05\x06" + bytes(8) + len(table).to_bytes(4, "little") + bytes(6)
