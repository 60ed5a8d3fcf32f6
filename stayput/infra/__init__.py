"""Pulumi components for any program: the media bucket of a site, and the one user that may write to it.

    from stayput.infra.bucket import MediaBucket
    from stayput.infra.uploader import Uploader

    media = MediaBucket("media", origins=["https://photos.example.org"])
    uploader = Uploader("uploader", bucket_arn=media.arn)

They take plain arguments. settings.py reads a stack's Pulumi.<stack>.yaml for a program that wants no more than that.
"""
