"""Adapters that are loaded when lists ask for them."""

import pickle

import numpy as np
import pytest
import rescorer

from conftest import FIXTURES, load
from test_door import LIST, weight

@pytest.fixture
def second_pass(tuned_policies):
    return load(policy=tuned_policies / "policy.toml")


@pytest.fixture
def pool(second_pass, tuned_policies):
    made = rescorer.AdapterPool(second_pass)
    for name in ("medical", "legal"):
        known = made.register(name, tuned_policies / "adapters" / name)
        assert known["name"] == name and not known["resident"] and known["fingerprint"] is None
    return made


def row(name):
    return {"hypotheses": LIST} if name is None else {"hypotheses": LIST, "adapter": name}


def test_lists_take_adapters_of_a_pool(second_pass, pool, tuned_policies):
    names = [None, "medical", "legal", "medical"]
    found = list(second_pass.rescore_many(map(row, names), pool=pool))
    assert [r.adapter for r in found] == names
    assert [weight(r) for r in found] == pytest.approx([0.25, 0.5, 0.75, 0.5])
    assert found[2].policy == str(tuned_policies / "adapters" / "legal" / "policy.toml")
    assert second_pass.rescore(row("legal"), pool=pool).total == found[2].total
    columns = second_pass.map_batch({"hypotheses": [LIST] * 4, "adapter": ["medical"] * 4}, pool=pool)
    assert columns["rescored_text"] == [found[1].text] * 4
    assert (len(pool), "legal" in pool, "dental" in pool, 3 in pool) == (2, True, False, False)
    assert pool.stats()["loads"] == 2 and pool.stats()["resident"] == 2
    known = pool.adapter("legal")
    assert known in pool.adapters() and known["resident"] and known["policy"] == found[2].policy
    assert repr(pool) == "<AdapterPool of 2, 2 loaded>"


def test_the_least_recently_used_gives_way(second_pass, pool, tuned_policies):
    pool.load("medical")
    size = pool.adapter("medical")["bytes"]
    tight = rescorer.AdapterPool(second_pass, max_bytes=size + size // 2, loaders=1)
    for name in ("medical", "legal"):
        tight.register(name, tuned_policies / "adapters" / name)
    for name in ("medical", "legal", "medical"):
        assert second_pass.rescore(row(name), pool=tight).adapter == name
    assert tight.stats() == {
        "registered": 2, "resident": 1, "resident_bytes": size, "loads": 3, "failures": 0, "evictions": 2
    }  # fmt: skip
    assert tight.pin("medical") and not tight.pin("dental")
    assert tight.adapter("medical")["pinned"]
    assert tight.remove("legal") and not tight.remove("legal")


def test_what_a_pool_refuses(second_pass, pool, tmp_path):
    with pytest.raises(rescorer.AdapterError, match="give the folder of an adapter"):
        pool.register("none", tmp_path)
    with pytest.raises(rescorer.AdapterError, match='there is no adapter "dental"'):
        pool.load("dental")
    with pytest.raises(rescorer.AdapterError, match='there is no adapter "dental"'):
        second_pass.rescore(row("dental"), pool=pool)
    found = list(second_pass.rescore_many(map(row, ["legal", "dental", None]), pool=pool, return_exceptions=True))
    assert isinstance(found[1], rescorer.AdapterError) and found[0].adapter == "legal" and found[2].adapter is None
    for number in (0, -1):
        with pytest.raises(rescorer.SettingsError, match=f"max_bytes={number}: give a number from 1"):
            rescorer.AdapterPool(second_pass, max_bytes=number)
        with pytest.raises(rescorer.SettingsError, match=f"loaders={number}: give a number from 1"):
            rescorer.AdapterPool(second_pass, loaders=number)
    with pytest.raises(rescorer.AdapterError, match="the pool may take 100"):
        rescorer.AdapterPool(second_pass, max_bytes=100).register("large", FIXTURES / "tiny-lora")
    with pytest.raises(TypeError, match="give a Rescorer"):
        rescorer.AdapterPool("smollm2-135m")
    other = load(lm_weight=0.5)
    for call in (other.rescore, other.rescore_many):
        with pytest.raises(rescorer.SettingsError, match="it is for another Rescorer"):
            call(LIST, pool=pool)
    with pytest.raises(TypeError):
        pickle.dumps(pool)


def test_a_damaged_adapter_fails_its_own_lists(second_pass, pool, tmp_path):
    for file in ("adapter_config.json", "adapter_model.safetensors"):
        (tmp_path / file).write_bytes((FIXTURES / "tiny-lora" / file).read_bytes())
    pool.register("mine", tmp_path)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"damaged")
    bad, good = second_pass.rescore_many(map(row, ["mine", "legal"]), pool=pool, return_exceptions=True)
    assert isinstance(bad, rescorer.AdapterError) and good.adapter == "legal"
    assert np.isfinite(good.total)
    assert pool.adapter("mine")["error"] and pool.stats()["failures"] == 1
