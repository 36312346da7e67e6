"""The budget of bytes in memory is bounded, fair, and released after errors."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from xr_icesat2.bytesource.request_scheduler import ByteBudget


@given(st.lists(st.integers(0, 30), max_size=30), st.integers(1, 20), st.sets(st.integers(0, 29)))
def test_bytes_in_use_stay_within_the_budget(lengths, most, cancelled):
    async def work():
        budget, reserved, order = ByteBudget(most), 0, []

        async def one(number, length):
            nonlocal reserved
            async with budget.reserve(length):
                order.append(number)
                others, reserved = reserved, reserved + length
                assert reserved <= most or not others
                try:
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                finally:
                    reserved -= length

        tasks = [asyncio.ensure_future(one(*each)) for each in enumerate(lengths)]
        await asyncio.sleep(0)
        for number in cancelled & set(range(len(tasks))):
            tasks[number].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled():
                task.result()
        assert order == sorted(order)
        async with asyncio.timeout(5), budget.reserve(most):
            pass  # all was given back

    asyncio.run(work())
