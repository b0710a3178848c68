import random

import pytest

from seq2seq_cli.text.duplicates import repeated


@pytest.mark.parametrize("count", [0, 1, 2, 500])
@pytest.mark.parametrize("different", [1, 20, 10_000])
def test_an_item_that_occurred_before_is_a_duplicate(count, different):
    items = [(f"w{k}", "x") for k in random.Random(count).choices(range(different), k=count)]
    expected = [k for k, item in enumerate(items) if item in items[:k]]
    assert repeated(iter(items), count).tolist() == expected
