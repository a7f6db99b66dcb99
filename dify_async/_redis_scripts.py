"""Lua scripts that run in Redis, for locks and leases, and for saving under the lock of a token store."""

from typing import Final

# redis-py may resend a command if its response is lost, so each script can run twice with the same result.
# All keys of an account have one hash tag, so that the scripts also run on a cluster.
LOCK: Final = """
local holder = redis.call('get', KEYS[1])
if not holder or holder == ARGV[3] then
  redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
  holder = ARGV[1]
end
if holder ~= ARGV[1] then return {0, false} end
return {1, redis.call('get', KEYS[2])}
"""
EXTEND: Final = """
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
UNLOCK: Final = """
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
return 1
"""
REPLACE: Final = """
local present = redis.call('get', KEYS[1]) or ''
if present ~= '' and present ~= ARGV[1] and present ~= ARGV[2] then return 0 end
redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""
