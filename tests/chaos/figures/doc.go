// Package figures makes tables of the summaries of a run: for the terminal, for the
// README, and of what is missing for the run to be a whole campaign.
//
// Not its business: measuring, or making summaries.
package figures
