"""Every expected failure, in one tree, with the exit code of a command that it ends.

SfmapError               2    any failure that a user can act on; everything else is a bug in sfmap

  Mistakes               2    files have errors: each with its place, what is wrong, and what was probably meant
  CannotRead             2    a file or folder is missing, unreadable or empty
  CannotWrite            2    an output file cannot be written
  SecretMissing          2    a secret is not set, or others can read its file
  NoSuchOrg              2    sfmap.yaml names no org of that name
  NoSuchSource           2    events cannot be opened as they are named
  NoRevision             2    a git revision does not exist, or its mappings are invalid
  AlreadyThere           2    a new project would overwrite files
  NothingFits            2    no draft of a mapping can be made of events
  NotSettings            2    a file does not hold the settings of another product
  NoOldValues            2    a file holds no old values that could be put back
  NoSuchObject           2    the org does not have the object, or does not show it to this user
  RenderingFailed        2    a process that renders events failed

  SourceFailed           2    a source of events cannot be read further
    FileDamaged          3    a file of events is cut short or damaged
    BrokersAway          3    no broker of a topic answers for now
  WrongShape             2    a file holds no events
  ExtraMissing           2    a library that is needed for this is not installed
  JournalFailed          2    the journal or the spool cannot be used
    JournalUnreadable    2    its file is damaged, or of another version
    JournalOutOfReach    3    it is on another machine, which does not answer
  LeaseTaken             2    another process delivers to the org
  LeaseLost              3    another process may have begun to deliver to the org
  ProjectBusy            2    another run has locked the project
  BackfillFailed         2    a back-fill could not be started, or did not end
    InputDamaged         3    a file of events is damaged
  StopRequested          130  the user ended the run with Ctrl-C or SIGTERM

  OrgError               3    a call to the org failed as a whole
    SignInRefused        3    the org refused the credentials
    OrgOutOfReach        3    the org cannot be reached as configured
    LimitReached         3    no API call is left
    OrgUnavailable       3    the org cannot be used for now; a retry may succeed
      TooManyCalls       3    the org takes no more calls at once; fewer may succeed
      ResultsLackRows    3    the results of a bulk job are not those of all its rows; they may be later
    CallRefused          3    the org refused this call; a smaller or corrected one may succeed
      NoBulkJobs         3    the org takes no bulk jobs of this user

  UnknownFeature         2    the local org has no feature of that name
  LocalOrgFailed         3    the local org did not start
  StoreFailed            3    the database of the local org cannot be used
  CannotServe            2    a server cannot be started as requested
  DeliveryEnded          70   the service ended because of a bug in sfmap

  NoSamples              2    `sfmap test` found no sample events
  NoEvent                2    a sample is not an event
  Differs                1    a payload differs from its snapshot

  FileRefused            -    the workbench does not read or write a file
  FileChanged            -    a file has changed since the workbench read it
  RequestRefused         -    a request to the workbench cannot be answered
  UnreadableBody         -    the body of an HTTP request cannot be read
    TooLarge             -    it is too large
    NotSupported         -    it has an encoding that is not supported
  NotAllowed             -    the sender of an HTTP request is not known
  NotAccepted            -    an HTTP request cannot be accepted as events
  SpoolFull              -    there is no room for more events
  NotStored              -    events could not be stored now

Failures without a code become the answer to an HTTP request. Each class is defined in the room that raises it,
and a test holds this tree. Signals between functions, which are always caught on the way, are not part of it.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended, for shells and programs."""

    DONE = 0
    EVENTS_FAILED = 1
    """Some events failed, or something differs."""
    BROKEN = 2
    """Wrong usage, an invalid project or mapping, or a file that cannot be read or written."""
    NOT_FINISHED = 3
    """The org cannot be used, or a file of events ends too early: the same command continues."""
    INTERNAL_ERROR = 70
    """A bug in sfmap: EX_SOFTWARE of BSD's sysexits."""
    INTERRUPTED = 130
    """Ctrl-C or SIGTERM."""
    OUTPUT_CLOSED = 141
    """The reader of the output has closed it, as for programs that end with SIGPIPE."""


class SfmapError(Exception):
    """An expected failure: says what happened and where, hints at what to do, and knows its exit code."""

    exit_code: int = ExitCode.BROKEN

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        """What the user should do, where the message does not say it; or empty."""

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message
