package pattern

// What comparing events with patterns may cost, in steps: a value or a level looked at, a test tried on a value, 16
// bytes of a text searched. A step takes some 10 ns.
const (
	// MaxSteps bounds one pattern and one event: 50 ms.
	MaxSteps = 5_000_000
	// FreeSteps are what an event may cost with each pattern of an [Index] in any case; what goes beyond them is
	// taken from PoolSteps, which all patterns that need more share.
	FreeSteps = 20_000
	PoolSteps = 25_000_000
	// findSteps bound the look-ups of one event in an [Index]; beyond, everybody is a candidate.
	findSteps = 2_000_000
)

// A Verdict is the answer of a pattern to an event.
type Verdict uint8

// The verdicts.
const (
	No     Verdict = iota
	Yes            // the event meets the pattern
	Costly         // to know would take more steps than are allowed
)

// price sets what trying a value costs.
func (c *condition) price() {
	for i := range c.tests {
		steps, scans := c.tests[i].price()
		c.steps, c.scans = c.steps+steps, c.scans+scans
	}
}

// price returns the steps of a test, and those for each 16 bytes of a text.
func (t *test) price() (steps, scans int32) {
	switch t.op {
	case opBut:
		for i := range t.inner {
			inner, more := t.inner[i].price()
			steps, scans = steps+inner, scans+more
		}
		return steps, scans
	case opWildcard, opFold, opFoldPrefix, opFoldSuffix:
		return 2, 1
	case opDigits, opAddresses:
		return 4, 0
	case opNetworks:
		return 64, 0
	case opHeads, opTails, opFoldHeads, opFoldTails, opTexts, opFolds, opRanges, opNumbers:
		return 8, 0
	}
	return 1, 0
}

// matches says whether v meets the condition, and pays for it. When the steps are used up nothing matches, and the
// verdict is Costly whatever else comes out.
func (m *matching) matches(c *condition, v *node) bool {
	m.left -= int(c.steps)
	if c.scans > 0 && v.kind == String {
		m.left -= int(c.scans) * (len(v.text) >> 4)
	}
	return m.left >= 0 && c.matches(v)
}
