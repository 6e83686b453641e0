package incident

// Record is one failover, or another incident, from its cause to its end.
type Record struct {
	ID string `json:"id"`
}
