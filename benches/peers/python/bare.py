"""The runtime, and nothing else."""

print('{"used": true}', flush=True)
