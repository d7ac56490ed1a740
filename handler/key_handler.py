"""What one event does to the outputs of its key. See docs/reliability.md for why it ends right.

The event only says that something happened. Which version is current, S3 says. The key's register is moved to
S3's answer, and the job that moved it makes the outputs what they are to be.
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
from outputs import Author, Outputs, SupersededError
from register import Holding, Register, State, confirmed, taken, withdrawn
from s3_events import Kind, ObjectEvent
from telemetry import count
from uploads import ArchivedError, DeniedError, NotCurrentError, Source, UnavailableError, Uploads
from workspace import workspace


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """What the handler works with, of one deployment."""

    settings: Settings
    uploads: Uploads
    bucket: Bucket
    jobs: Jobs


@dataclass(frozen=True, kw_only=True)
class KeyHandler:
    """One delivery's handling of one event, under the lease of the event's job."""

    services: Services
    event: ObjectEvent
    version_id: str
    """The version that was created; empty for a deletion."""
    claim: Claim
    register: Register
    invocation: Invocation

    def handle(self) -> Outcome:
        """Make the outputs of the key what S3's current version makes them.

        Raises:
            DeliveryError: to be repeated: a fault of the platform.
        """
        if self.event.kind is Kind.CREATED:
            return self._make_current(self.version_id, None)
        return self._follow_deletion()

    def withdraw(self) -> Outcome:
        """Take back what this job has published: its upload was deleted meanwhile."""
        self._outputs("").withdraw()
        return Outcome(status=Status.WITHDRAWN, error="the upload was deleted")

    def _follow_deletion(self) -> Outcome:
        """Withdraw what was published if no version is current; else see to it that the current one's is."""
        before, held = self.register.move(self._after_deletion, self.register.read())
        if held.holder != self.claim.job_id:
            if not self.claim.first:  # it may have begun to bring a version back that is not current any more
                self._outputs("").withdraw()
            return _unlisted(Status.SKIPPED, "the outputs stay as they are")
        if held.state is State.EXPIRED:
            return self._leave(held.version_id, NotCurrentError(deleted=True))
        if held.state is State.CURRENT:
            outcome = self._make_current(held.version_id, held)
            return replace(outcome, facts={"version_id": held.version_id, **outcome.facts})
        new = before is None and self.event.replay_id is None
        try:
            self._outputs("").publish({}, still_held=self._still_holding(held), fresh=new)
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
        """Publish what the version makes, if it is current.

        Args:
            version_id: the version.
            held: what the register holds, if it was moved to this version already.
        """
        try:
            source = self.services.uploads.open(self.event.key, version_id)
            with closing(source.body):
                fresh = False
                if held is None:
                    before, held = self.register.move(self._taking(version_id), None)
                    fresh = before is None and self.claim.first
                return self._publish(source, held, fresh=fresh)
        except NotCurrentError as reason:
            return self._leave(version_id, reason)
        except UnavailableError as reason:
            return self._leave_unread(version_id, held, reason)

    def _taking(self, version_id: str) -> Callable[[Holding | None], Holding]:
        """Return how to take a version that S3 has just named as current; from then on, S3 is asked again."""
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
        outputs = self._outputs(source.version_id)
        with workspace() as workdir:
            attempt = Attempt(
                settings=self.services.settings,
                invocation=self.invocation,
                workdir=workdir,
                key=self.event.key,
                job_id=self.claim.job_id,
                generation=held.generation,
            )
            with attempt.run(source) as outcome:
                if not outcome.conclusive:
                    return self._keep(source.version_id, held, outcome)
                try:
                    paths = outputs.publish(outcome.files, still_held=self._still_holding(held), fresh=fresh)
                except SupersededError:
                    return self._displaced(source.version_id)
        facts = {**facts_of_source(source), **outcome.facts, **facts_of_outputs(paths)}
        return replace(outcome, facts=facts, generation=held.generation)

    def _displaced(self, version_id: str) -> Outcome:
        """Leave nothing behind once the outputs are to be others."""
        self._outputs(version_id).withdraw()
        held = self.register.read()
        if held and held.state is State.WITHDRAWN and held.version_id == version_id:
            return Outcome(status=Status.WITHDRAWN, error="the upload was deleted")
        return Outcome(status=Status.SUPERSEDED, error="a newer version of the key has been taken")

    def _leave(self, version_id: str, reason: NotCurrentError) -> Outcome:
        """End the job of a version that is not current, or not any more.

        What an earlier delivery has published whole stays until the event comes that ended the version: only
        that says whether it was a lifecycle rule. Of what none has published whole, nothing stays.
        """

        def advance(seen: Holding | None) -> Holding | None:
            if seen is None or seen.holder != self.claim.job_id or seen.state is State.WITHDRAWN:
                return None
            if self.claim.outcome:
                return None
            if self.services.uploads.current_version(self.event.key) == version_id:
                raise DeliveryError("the current version of the key kept changing")
            return withdrawn(seen, self.claim.job_id)

        seen, held = self.register.move(advance, self.register.read())
        if (
            seen is not None
            and seen.holder == self.claim.job_id
            and seen.state is not State.WITHDRAWN
            and self.claim.outcome
        ):
            return Outcome(
                status=self.claim.outcome, error=str(reason), generation=seen.generation, stands=True
            )
        if held is not None:
            with suppress(SupersededError):
                self._outputs(version_id).publish({}, still_held=self._still_holding(held), fresh=False)
        if not self.claim.first:
            self._outputs(version_id).withdraw()
        status = Status.SKIPPED if reason.deleted else Status.SUPERSEDED
        if self.event.kind is not Kind.CREATED:
            return _unlisted(status, str(reason))
        return Outcome(status=status, error=str(reason))

    def _leave_unread(self, version_id: str, held: Holding | None, reason: UnavailableError) -> Outcome:
        """End the job of a version that cannot be read now."""
        if isinstance(reason, DeniedError) and not self.services.uploads.gives_others(self.event.key):
            raise DeliveryError(f"{reason}, nor any other") from None

        def advance(seen: Holding | None) -> Holding:
            if self.services.uploads.current_version(self.event.key) != version_id:
                raise DeliveryError("the current version of the key kept changing")
            if seen and seen.version_id == version_id and seen.state is not State.WITHDRAWN:
                return confirmed(seen, State.CURRENT)
            return taken(seen, version_id, self.claim.job_id)

        if held is None and reason.current:
            _, held = self.register.move(advance, self.register.read())
        status = Status.SKIPPED if isinstance(reason, ArchivedError) else Status.FAILED
        return self._keep(version_id, held, Outcome(status=status, error=str(reason), conclusive=False))

    def _keep(self, version_id: str, held: Holding | None, outcome: Outcome) -> Outcome:
        """End a job that has not read the whole version: what was made of this version before stays.

        What was made of others does not, if this job's version is current.
        """
        if held and held.holder == self.claim.job_id:
            try:
                self._outputs(version_id).keep_only(version_id, still_held=self._still_holding(held))
            except SupersededError:
                return self._displaced(version_id)
        generation = held.generation if held else None
        if self.claim.outcome:
            return replace(outcome, status=self.claim.outcome, generation=generation, stands=True)
        if not self.claim.first:
            self._outputs(version_id).withdraw()
        return replace(outcome, generation=generation)

    def _still_holding(self, held: Holding) -> Callable[[], bool]:
        return lambda: self.register.still_has(held)

    def _outputs(self, version_id: str) -> Outputs:
        author = Author(job_id=self.claim.job_id, version_id=version_id)
        return Outputs(self.services.bucket, self.event.key, author)


def _unlisted(status: Status, reason: str) -> Outcome:
    """Return the outcome of a deletion that brought no version back."""
    return Outcome(status=status, error=reason, listed=False)
