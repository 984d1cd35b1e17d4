"""Identity providers on django-allauth: how they are asked, and what is believed.

Imported by the first request that needs a provider: most consoles have none.
"""
