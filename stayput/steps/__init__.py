"""The kinds of step, each frozen data that can say itself and why. Doing them is apply's business."""

from stayput.steps.attest import Attest
from stayput.steps.build import BuildImage
from stayput.steps.inject import Inject
from stayput.steps.migrate import Migrate
from stayput.steps.promote import Promote
from stayput.steps.provision import Provision
from stayput.steps.publish import Publish
from stayput.steps.record import Record
from stayput.steps.rekey import Rekey
from stayput.steps.start import Start
from stayput.steps.verify import Verify

Step = Rekey | Provision | BuildImage | Attest | Publish | Inject | Migrate | Start | Verify | Promote | Record

__all__ = [
    "Attest",
    "BuildImage",
    "Inject",
    "Migrate",
    "Promote",
    "Provision",
    "Publish",
    "Record",
    "Rekey",
    "Start",
    "Step",
    "Verify",
]
