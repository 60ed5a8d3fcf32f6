"""What is kept of an attestation: an in-toto statement, and a CycloneDX list of what the image holds."""

import json
from typing import Any, cast

import msgspec
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from stayput.image import Attestation, Image
from stayput.image.inputs import PIN

# Their decorators hide their signatures from type checkers.
_bom, _metadata, _component = cast("tuple[Any, Any, Any]", (Bom, BomMetaData, Component))
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"


def statement(attestation: Attestation) -> dict[str, Any]:
    """The attestation as an in-toto statement (v1) about the image's manifest."""
    algorithm, _, digest = attestation.digest.partition(":")
    passed = [check.name for check in attestation.checks if check.ok]
    failed = [check.name for check in attestation.checks if not check.ok]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": attestation.image.partition("@")[0], "digest": {algorithm: digest}}],
        "predicateType": PREDICATE,
        "predicate": {
            "result": "PASSED" if attestation.ok else "FAILED",
            "passedTests": passed,
            "failedTests": failed,
            "configuration": [{"name": "image configuration", "digest": {algorithm: attestation.config[7:]}}],
            "platform": attestation.platform,
            "build": attestation.build,
            "checks": msgspec.to_builtins(attestation.checks),
        },
    }


def bill_of_materials(image: Image) -> str:
    """The site's distributions as CycloneDX 1.6 JSON; system packages come with the base, by its digest."""
    components: list[Any] = []
    for name, version, marker in PIN.findall(image.lock):
        if "win32" not in marker:
            purl = PackageURL("pypi", None, name, version)
            components.append(_component(name=name, version=version, type=ComponentType.LIBRARY, purl=purl))
    whole = _component(name=image.name, version=image.digest, type=ComponentType.CONTAINER)
    bom = _bom(components=components, metadata=_metadata(component=whole))
    bom.register_dependency(whole, components)
    written = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string()
    return json.dumps(json.loads(written), indent=1)
