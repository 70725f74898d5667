"""What is copied for checkpoints is never changed in place afterwards."""

from __future__ import annotations

from hypothesis import given

from icans.engine.history import History
from icans.engine.knowledge import Knowledge
from icans.engine.state import State
from icans.record import Record
from tests.properties.strategies import records
from tests.properties.test_agreement import POLICY


def written_out(state: State) -> str:
    """Every value that the state carries."""
    carried = (state.in_force, state.course, state.treatment, state.exposure)
    return repr([vars(part) for part in carried])


@given(records())
def test_a_checkpoint_stays_as_it_was_taken(record: Record) -> None:
    history, known = History(record, POLICY), Knowledge(record)
    taken: dict[int, tuple[State, str]] = {}
    for instant in known.instants:
        history.change(known.added.get(instant, ()), known.removed.get(instant, ()))
        history.advance(instant)
        for _, state, _ in history.checkpoints:
            if id(state) not in taken:
                taken[id(state)] = (state, written_out(state))
    assert all(written_out(state) == then for state, then in taken.values())
