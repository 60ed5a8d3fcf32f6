"""The Pulumi program: settings → media bucket → uploader → stack outputs."""

import gc
import os
import sys
from pathlib import Path

import pulumi
from pulumi.runtime import config

# Where the stayput package lies beside infra/ and is not installed, as in this repository.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from stayput.infra.bucket import MediaBucket
from stayput.infra.clouds import inside, provider
from stayput.infra.settings import SettingsError, loopback_url, parse
from stayput.infra.uploader import Uploader

try:
    settings = parse({**config.get_config_env(), **config.CONFIG.get()})
    endpoint = loopback_url(os.environ) if settings.cloud == "this-machine" else ""
except SettingsError as error:
    raise pulumi.RunError(str(error)) from None

options = inside(provider(settings.region, endpoint))
media = MediaBucket(
    "media",
    mode=settings.mode,
    origins=settings.origins,
    bucket=settings.bucket,
    adopt=settings.taken_over,
    empty_on_destroy=settings.empties_bucket,
    allow_plain_http=settings.allow_plain_http,
    endpoint_url=endpoint,
    opts=options,
)
uploader = Uploader(
    "uploader",
    bucket_arn=media.arn,
    key_generation=settings.key_generation,
    previous_key=settings.previous_key,
    force_destroy=settings.throw_away,
    opts=options,
)

pulumi.export("bucket", media.bucket)
pulumi.export("region", settings.region)
pulumi.export("media_base_url", media.base_url)
pulumi.export("uploader_name", uploader.user_name)
pulumi.export("access_key_id", uploader.access_key_id)
pulumi.export("secret_access_key", uploader.secret_access_key)

gc.freeze()  # at the end of the process nothing goes once more through all that the provider's package made
