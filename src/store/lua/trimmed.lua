-- What is left of the entries that were dropped: the last one's revision, and the fields of what was counted.
return { (oldest() or 1) - 1, redis.call('HGETALL', COUNTED) }
