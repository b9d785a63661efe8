"""No-op tasks in ARQ, for the benchmark: `worker.py REDIS_URL COUNT`; see src/main.rs for what it says and hears.

Tuned: uvloop, hiredis, 200 tasks at once, a look each 10 ms.
"""

import asyncio
import sys

import uvloop
from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker

BATCH = 200


async def noop(ctx, echo):
    return echo


async def main(url, count):
    settings = RedisSettings.from_dsn(url.rstrip("/"))
    pool = await create_pool(settings)
    for start in range(0, count, BATCH):
        numbers = range(start, min(count, start + BATCH))
        await asyncio.gather(*(pool.enqueue_job("noop", number) for number in numbers))
    print("waiting", flush=True)
    sys.stdin.readline()
    worker = Worker(
        [noop],
        redis_settings=settings,
        burst=True,
        max_jobs=BATCH,
        queue_read_limit=5 * BATCH,
        poll_delay=0.01,
        keep_result=86_400,
        handle_signals=False,
    )
    await worker.async_run()
    assert worker.jobs_complete == count, worker.jobs_complete
    print("done", flush=True)


uvloop.run(main(sys.argv[1], int(sys.argv[2])))
