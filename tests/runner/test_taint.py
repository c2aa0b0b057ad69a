from __future__ import annotations

from tests.runner.campaigns import Owner
from tests.runner.locked_server import locked_server


def test_a_cell_that_cannot_win_says_so_when_it_ends_and_wherever_it_is_shown(owner: Owner) -> None:
    owner.env["KEY"] = "sk-1"
    with locked_server("sk-1") as server:
        load = ("--concurrency", "2", "--pp", "64", "--tg", "4", "--runs", "1", "--model", "m", "--api-key-env", "KEY")
        done = owner.type("bench", server.url, *load, "--plain")
    why = "2 prompts of 10 to 10 tokens instead of 64"
    assert done.returncode == 0, done.stderr
    ((taint,),) = owner.rows("SELECT taint FROM cell")
    assert why in taint  # a busy machine may add a reason of its own
    assert owner.rows("SELECT level, text FROM event WHERE kind = 'tainted'") == [
        ("warning", f"server c2 cannot win: {taint}")
    ]
    for text in (done.stdout, owner.type("show", "last").stdout):
        assert f"cannot win: {taint}" in " ".join(text.split())
