"""A plan for Slurm: one job array a round of a stage, all submitted up front, and no process that stays behind.

steps      an input -> its steps: what is an array, how wide, after which other
campaign   RUN/slurm/CAMPAIGN: the input as submitted, and the jobs of its rounds as far as they are known
notes      there too: how the tasks ended, and which of them were sent
pieces     many pieces of JSON in one file, of which any can be read alone
script     a step -> the text that sbatch gets
queue      sbatch, squeue, scancel, scontrol, sacct: nothing else talks to Slurm
task       what a task of an array does: one line of one round
survey     records, notes and queue -> the state of every task
submit     sends what is missing, and only that
status     the survey, told to a person

Index k of an array means the k-th line of its round. Widths are upper bounds, known from the settings before anything
has run; a task beyond what there is ends at once. A task replays no more than it must: the first one of a round finds
out from the records what the round's jobs are and puts them down for the others. Plain sbatch was measured against
engines that keep a driver alive (submitit, Parsl, Snakemake, dask-jobqueue): it alone lost nothing when a node died.
"""
