"""What may be said about carbon: wording by register, audience, language and version, as data; and the guard.

Pure Python: nothing here imports Django or touches a database.
"""
