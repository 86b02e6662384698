"""Work of which one is done at a time: what waits for its turn can be stopped."""

from analysis.projected_points import Progress
from analysis.projection import Projection
from dashboard import map_work
from quartzlens.errors import QuartzlensError


def test_a_map_that_waits_for_another_can_be_stopped() -> None:
    """Stop holds at once where the work has not begun, and nothing is computed when its turn comes."""
    computed: list[Progress] = []

    def compute(tell: Progress) -> Projection:
        computed.append(tell)
        raise QuartzlensError("begun")

    with map_work._ONE_AT_A_TIME:
        work = map_work.Work(compute)
        assert not work.ended()
        assert work.doing == "waiting for another map"
        work.stop()
        assert work.ended(60.0)
    assert (work.stopped, work.failed, computed) == (True, False, [])
