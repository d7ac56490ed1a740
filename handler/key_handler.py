"""What one event changes in the outputs of its key. docs/reliability.md explains why the result is right.

An event only says that something has happened to a key. S3 says which version is current. The handler writes
S3's answer into the key's register, and the job that changed the register makes the outputs match it.
"""

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace

from conversion_attempt import Attempt
from environment import Settings
from faults import DeliveryError
from invocation import Invocation
from job_records import Claim, Jobs, Status
from objects import Bucket
from outcome import Outcome, facts_of_outputs, facts_of_source
from outputs import Author, Output, Outputs, SupersededError
from register import Holding, Register, State, confirmed, taken, withdrawn
from s3_events import Kind, ObjectEvent
from telemetry import count
from uploads import ArchivedError, DeniedError, NotCurrentError, Source, UnavailableError, Uploads
from workspace import workspace


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """The parts of one deployment that a handler uses."""

    settings: Settings
    uploads: Uploads
    bucket: Bucket
    jobs: Jobs


@dataclass(frozen=True, kw_only=True)
class KeyHandler:
    """The handling of one event by one delivery, which holds the lease of the event's job."""

    services: Services
    event: ObjectEvent
    version_id: str
    """The version that was created; empty for a deletion."""
    claim: Claim
    register: Register
    invocation: Invocation

    def handle(self) -> Outcome:
        """Make the outputs of the key those of the version that S3 calls current.

        Raises:
            DeliveryError: The delivery must be repeated.
        """
        if self.event.kind is Kind.CREATED:
            return self._make_current(self.version_id, None)
        return self._follow_deletion()

    def withdraw(self) -> Outcome:
        """Withdraw what this job has published, because its upload was deleted meanwhile."""
        self._outputs().withdraw()
        return Outcome(status=Status.WITHDRAWN, error="the upload was deleted")

    def _follow_deletion(self) -> Outcome:
        """Withdraw the outputs if no version is current; otherwise publish those of the current version."""
        before, held = self.register.update(self._after_deletion, self.register.read())
        if held.holder != self.claim.job_id:
            # An earlier attempt may have begun to publish a version that is not current any more.
            if not self.claim.first:
                self._outputs().withdraw()
            return _unlisted(Status.SKIPPED, "the outputs stay as they are")
        if held.state is State.EXPIRED:
            return self._end_not_current(held.version_id, NotCurrentError(deleted=True))
        if held.state is State.CURRENT:
            outcome = self._make_current(held.version_id, held)
            return replace(outcome, facts={"version_id": held.version_id, **outcome.facts})
        new = before is None and self.event.replay_id is None
        try:
            self._outputs(held).publish({}, still_held=self._still_holding(held), fresh=new)
        except SupersededError:
            return _unlisted(Status.SUPERSEDED, "a version is current again")
        if held.withdrawn and self.services.jobs.withdraw(held.withdrawn, held.generation, self.claim.owner):
            count(self.services.settings, Status.WITHDRAWN, self.event.key)
        return _unlisted(Status.WITHDRAWN, "the upload was deleted")

    def _after_deletion(self, seen: Holding | None) -> Holding:
        current = self.services.uploads.current_version(self.event.key)
        if current is not None:
            if seen and seen.version_id == current and seen.state is not State.WITHDRAWN:
                return confirmed(seen, State.CURRENT)
            return taken(seen, current, self.claim.job_id)
        if seen and seen.state is State.EXPIRED:
            return confirmed(seen, State.EXPIRED)
        if seen and self.event.kind is Kind.EXPIRED:
            return confirmed(seen, State.EXPIRED if seen.state is State.CURRENT else State.WITHDRAWN)
        return withdrawn(seen, self.claim.job_id)

    def _make_current(self, version_id: str, held: Holding | None) -> Outcome:
        """Publish the outputs of a version, if it is current.

        Args:
            version_id: The version.
            held: What the register holds, if it already names this version and this job.
        """
        try:
            source = self.services.uploads.open(self.event.key, version_id)
            with closing(source.body):
                fresh = False
                if held is None:
                    before, held = self.register.update(self._taking(version_id), None)
                    fresh = before is None and self.claim.first
                return self._publish(source, held, fresh=fresh)
        except NotCurrentError as reason:
            return self._end_not_current(version_id, reason)
        except UnavailableError as reason:
            return self._end_unread(version_id, held, reason)

    def _taking(self, version_id: str) -> Callable[[Holding | None], Holding]:
        """Return a function that takes the register for a version, which S3 has just named as current.

        Each further call asks S3 again.
        """
        asked = False

        def advance(seen: Holding | None) -> Holding:
            nonlocal asked
            if asked:
                current = self.services.uploads.current_version(self.event.key)
                if current != version_id:
                    raise NotCurrentError(deleted=current is None)
            asked = True
            return taken(seen, version_id, self.claim.job_id)

        return advance

    def _publish(self, source: Source, held: Holding, *, fresh: bool) -> Outcome:
        outputs = self._outputs(held)
        with workspace() as workdir:
            attempt = Attempt(
                settings=self.services.settings,
                invocation=self.invocation,
                workdir=workdir,
                key=self.event.key,
                job_id=self.claim.job_id,
                generation=held.generation,
            )
            outcome = attempt.run(source)
            if not outcome.conclusive:
                return self._end_inconclusive(source.version_id, held, outcome)
            try:
                paths = outputs.publish(outcome.files, still_held=self._still_holding(held), fresh=fresh)
            except SupersededError:
                return self._end_superseded(source.version_id)
        facts = {**facts_of_source(source), **outcome.facts, **facts_of_outputs(paths)}
        return replace(outcome, facts=facts, generation=held.generation)

    def _end_superseded(self, version_id: str) -> Outcome:
        """End a job whose register was changed meanwhile: withdraw what it has published."""
        self._outputs().withdraw()
        held = self.register.read()
        if held and held.state is State.WITHDRAWN and held.version_id == version_id:
            return Outcome(status=Status.WITHDRAWN, error="the upload was deleted")
        return Outcome(status=Status.SUPERSEDED, error="a newer version of the key is current")

    def _end_not_current(self, version_id: str, reason: NotCurrentError) -> Outcome:
        """End the job of a version that is not current, or not any more.

        Outputs that an earlier delivery has published completely stay until the event arrives that ended the
        version: only that event says whether a lifecycle rule did. Incomplete outputs are withdrawn.
        """
        earlier: Outcome | None = None

        def advance(seen: Holding | None) -> Holding | None:
            nonlocal earlier
            earlier = None
            if seen is None or seen.holder != self.claim.job_id:
                return None
            # A withdrawal of this job may be a write whose answer was lost, so it is carried out again.
            if seen.state is not State.WITHDRAWN:
                earlier = self._earlier_outcome(seen, str(reason))
            if earlier:
                return None
            if self.services.uploads.current_version(self.event.key) == version_id:
                raise DeliveryError("the current version of the key kept changing")
            return withdrawn(seen, self.claim.job_id)

        _, held = self.register.update(advance, self.register.read())
        if earlier:
            return earlier
        if held is not None:
            with suppress(SupersededError):
                self._outputs(held).publish({}, still_held=self._still_holding(held), fresh=False)
        if not self.claim.first:
            self._outputs().withdraw()
        status = Status.SKIPPED if reason.deleted else Status.SUPERSEDED
        if self.event.kind is not Kind.CREATED:
            return _unlisted(status, str(reason))
        return Outcome(status=status, error=str(reason))

    def _end_unread(self, version_id: str, held: Holding | None, reason: UnavailableError) -> Outcome:
        """End the job of a version that cannot be read now."""
        if isinstance(reason, DeniedError) and not self.services.uploads.can_read_others(self.event.key):
            raise DeliveryError(f"{reason}; nor can it read any other object") from None

        def advance(seen: Holding | None) -> Holding:
            if self.services.uploads.current_version(self.event.key) != version_id:
                raise DeliveryError("the current version of the key kept changing")
            if seen and seen.version_id == version_id and seen.state is not State.WITHDRAWN:
                return confirmed(seen, State.CURRENT)
            return taken(seen, version_id, self.claim.job_id)

        if held is None and reason.current:
            _, held = self.register.update(advance, self.register.read())
        status = Status.SKIPPED if isinstance(reason, ArchivedError) else Status.FAILED
        outcome = Outcome(status=status, error=str(reason), conclusive=False)
        return self._end_inconclusive(version_id, held, outcome)

    def _end_inconclusive(self, version_id: str, held: Holding | None, outcome: Outcome) -> Outcome:
        """End a job that has not read the whole version: earlier outputs of the same version stay.

        Outputs of other versions, and those from before a withdrawal, are deleted if the version is current.
        """
        if held and held.holder == self.claim.job_id:
            try:
                self._outputs(held).keep(held.since, still_held=self._still_holding(held))
            except SupersededError:
                return self._end_superseded(version_id)
        earlier = self._earlier_outcome(held, outcome.error or "")
        if earlier:
            return earlier
        if not self.claim.first:
            self._outputs().withdraw()
        return replace(outcome, generation=held.generation if held else None)

    def _earlier_outcome(self, held: Holding | None, reason: str) -> Outcome | None:
        """Return the outcome of an earlier delivery that read the whole version, if its outputs are there.

        The job record says so, unless it has expired. Then a replay, or a delivery that finds no record,
        concludes it from the outputs.

        Args:
            held: What the register holds, if the version is current or was until now.
            reason: Why the version is not read now.
        """
        generation = held.generation if held else None
        if self.claim.outcome and (held is None or self.claim.generation >= held.since):
            return Outcome(status=self.claim.outcome, error=reason, generation=generation, stands=True)
        if held is None or not (self.claim.first or self.event.replay_id):
            return None
        paths = self._outputs(held).published_since(held.since)
        if Output.PROFILE in paths:  # It is published last.
            status = Status.COMPLETED
        elif paths.keys() == {Output.REJECTS}:
            status = Status.FAILED
        else:
            return None
        facts = facts_of_outputs(paths)
        return Outcome(status=status, error=reason, facts=facts, generation=generation, stands=True)

    def _still_holding(self, held: Holding) -> Callable[[], bool]:
        return lambda: self.register.still_has(held)

    def _outputs(self, held: Holding | None = None) -> Outputs:
        """Return the outputs of the key. Publishing and keeping need the content of the register."""
        author = Author(
            job_id=self.claim.job_id,
            version_id=held.version_id if held else "",
            generation=held.generation if held else 0,
        )
        return Outputs(self.services.bucket, self.event.key, author)


def _unlisted(status: Status, reason: str) -> Outcome:
    """Return the outcome of a deletion that brought no version back."""
    return Outcome(status=status, error=reason, listed=False)
