package localqueue

// Held counts what the queues keep in memory.
func (s *Set) Held() (bytes, entries, groups int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.queues {
		entries += len(q.inMemory) + q.turns.n + len(q.receipts)
		groups += len(q.groups) + len(q.owners)
	}
	return s.memory, entries, groups + len(s.byOwner)
}
