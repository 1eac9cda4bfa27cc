"""What the answers to a batch mean: outcomes, items to send again, and items that wait."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

from sfmap.engine.delivery.batches import Answers, Lost, Sent
from sfmap.engine.delivery.folding import Fold
from sfmap.engine.delivery.item import Item
from sfmap.engine.delivery.outcome import Answer, Ending
from sfmap.engine.delivery.outcome_table import Decided
from sfmap.engine.delivery.refusals import is_from_load, is_too_much, to_send_again
from sfmap.engine.delivery.writes import PendingWrite
from sfmap.engine.org.port import Refused, Written

_MOST_LOST = 6
"""The number of lost answers after which a record counts as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What is to be done after the answers to a batch."""

    decided: Sequence[Decided]
    settled: Sequence[int]
    """The numbers of the writes that were answered."""
    repeated: Sequence[tuple[PendingWrite, Sequence[Item]]]
    """The items to send again, by write."""
    lost: Sequence[Item]
    """These wait until it is certain whether the org has executed their writes."""
    passed: Sequence[Sent]
    """One of each write that the org has accepted at least in part."""
    too_much: Sequence[tuple[Sent, Refused]]
    """What a smaller batch may get through."""
    loads: Set[str]
    """The codes of refusals that fewer writes at once may avoid."""


def conclusion_of(answers: Answers) -> Conclusion:
    decided: list[Decided] = []
    repeated: list[tuple[PendingWrite, Sequence[Item]]] = []
    lost: list[Item] = []
    refusals: list[tuple[Sent, Refused]] = []
    passed: dict[int, Sent] = {}
    for sent in answers.sent:
        if isinstance(sent.result, Lost):
            over = list(_after_loss(sent, sent.result))
            decided += over
            places = {one.item.place for one in over}
            lost += (item for item in sent.pending.fold.items if item.place not in places)
        elif isinstance(sent.result, Written):
            decided += _written(sent, sent.result)
            passed[sent.number] = sent
        else:
            refusals.append((sent, sent.result))
            if (items := to_send_again(sent, sent.result)) is not None:
                repeated.append((sent.pending, items))
            else:
                decided.append(_refused(sent, sent.result))
    return Conclusion(
        decided=decided,
        settled=sorted({sent.number for sent in answers.sent if not isinstance(sent.result, Lost)}),
        repeated=repeated,
        lost=lost,
        passed=list(passed.values()),
        too_much=[(sent, refused) for sent, refused in refusals if is_too_much(refused)],
        loads={refused.code for _, refused in refusals if is_from_load(refused)},
    )


def ended(fold: Fold, ending: Ending) -> Iterator[Decided]:
    """The outcome of each item: after a create, the further ones found the record."""
    fates = fold.fates() if ending.fate == "created" else [ending.fate] * len(fold.items)
    for item, fate in zip(fold.items, fates, strict=True):
        yield Decided(item, replace(ending, fate=fate))


def _after_loss(sent: Sent, result: Lost) -> Iterator[Decided]:
    """The outcomes of items that are not tried again after a lost answer; the others wait."""
    for item in sent.pending.fold.items:
        times = item.unanswered.losses + 1 if item.unanswered else 1
        if not sent.pending.is_found_again:
            reason = f"{result.reason} It is not known whether the record was created, and no lookup can find it"
            yield Decided(item, Ending("failed", reason=reason, may_be_created=True))
        elif times > _MOST_LOST:
            yield Decided(item, Ending("failed", reason=f"{result.reason} (tried {times} times)"))


def _refused(sent: Sent, refused: Refused) -> Decided:
    pending = sent.pending
    head = pending.fold.head
    answer = Answer(
        code=refused.code,
        verb=pending.call.verb,
        place=sent.place,
        together=sent.together,
        tries=len(head.again) + 1,
    )
    return Decided(
        head,
        Ending(
            "failed",
            id=pending.write.id,
            reason=f"{refused.code}: {refused.message}",
            notes=pending.notes,
            answer=answer,
        ),
    )


def _written(sent: Sent, written: Written) -> Iterator[Decided]:
    pending = sent.pending
    first, *further = pending.fates
    fates = (pending.call.fate(written, first), *further)
    for item, fate in zip(pending.fold.items, fates, strict=True):
        yield Decided(item, Ending(fate, written.id, notes=pending.notes))
