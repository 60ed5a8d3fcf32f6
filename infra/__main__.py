"""The program that an engine runs: settings → media bucket → uploader → stack outputs."""

import gc
import os
import sys
from pathlib import Path

import pulumi
from pulumi.runtime import config

# An engine starts this file with infra/ itself on the path; the modules are known as infra.bucket and so on.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from infra.bucket import MediaBucket
from infra.clouds import inside, provider
from infra.settings import SettingsError, loopback_url, parse
from infra.uploader import Uploader

try:
    settings = parse({**config.get_config_env(), **config.CONFIG.get()})
    endpoint = loopback_url(os.environ) if settings.cloud == "this-machine" else ""
except SettingsError as error:
    raise pulumi.RunError(str(error)) from None

options = inside(provider(settings.region, endpoint))
media = MediaBucket(settings, endpoint_url=endpoint, opts=options)
uploader = Uploader(media.arn, settings, opts=options)

pulumi.export("bucket", media.bucket)
pulumi.export("region", settings.region)
pulumi.export("media_base_url", media.base_url)
pulumi.export("uploader_name", uploader.user_name)
pulumi.export("access_key_id", uploader.access_key_id)
pulumi.export("secret_access_key", uploader.secret_access_key)

gc.freeze()  # at the end of the process nothing goes once more through all that the provider's package made
