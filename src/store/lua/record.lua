-- Appends entries to the journal: at, head and event of each.
for n = 1, #ARGV, 3 do
  append(ARGV[n], ARGV[n + 1], ARGV[n + 2])
end
