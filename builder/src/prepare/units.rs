//! The units that a prepared graph consists of: its steps, each as a plan of its own.

use crate::failure::Failure;
use crate::nix;
use crate::prepare::Prepared;
use crate::run::prebuilt;
use graphs::Graph;
use graphs::plan::Step;
use std::collections::{BTreeMap, BTreeSet};

/// Every step that is to be built with the steps that it needs built, each after all that it needs.
pub struct Units {
    /// The steps as a plan has them; those of derivations of Nix and Guix are planned one by one.
    steps: BTreeMap<String, Step>,
    /// Their names, with those of the steps that each needs.
    pub needs: Vec<(String, BTreeSet<String>)>,
}

impl Units {
    /// The units that a prepared graph consists of.
    pub fn of(prepared: &Prepared) -> Result<Units, Failure> {
        if let Some(imported) = &prepared.imported {
            return Ok(Units { steps: BTreeMap::new(), needs: nix::units(imported) });
        }
        let steps = prepared.remaining_steps()?;
        let needs = |step: &Step| (step.name.clone(), step.steps().into_iter().map(str::to_owned).collect());
        let needs = steps.iter().map(needs).collect();
        Ok(Units { steps: steps.into_iter().map(|step| (step.name.clone(), step)).collect(), needs })
    }

    /// One step alone, what it needs of other steps being made.
    pub fn prepare(
        &self,
        prepared: &Prepared,
        name: &str,
        made: &prebuilt::All,
    ) -> Result<Prepared, Failure> {
        if let Some(imported) = &prepared.imported {
            return nix::unit(imported, name, made.clone());
        }
        let (Some(step), Some(derivation)) = (self.steps.get(name), prepared.graph.derivations.get(name))
        else {
            return Err(Failure::input(format!("`{name}` is no step that is to be built")));
        };
        let (used, needed) = (step.inputs(), step.steps());
        let inputs = prepared.inputs.iter().filter(|(name, _)| used.contains(name.as_str()));
        let outputs = made.iter().filter(|(_, output)| needed.contains(output.step.as_str()));
        let keys = prepared.keys.get(name).map(|&key| (name.to_owned(), key));
        let mut unit = Prepared {
            graph: Graph {
                derivations: [(name.to_owned(), derivation.clone())].into_iter().collect(),
                targets: vec![name.to_owned()],
                ..Graph::default()
            },
            choices: prepared.choices.clone(),
            inputs: inputs.map(|(name, input)| (name.clone(), input.clone())).collect(),
            prebuilt: outputs.map(|(name, output)| (name.clone(), output.clone())).collect(),
            keys: keys.into_iter().collect(),
            steps: vec![name.to_owned()],
            order: vec![name.to_owned()],
            memory: derivation.memory.saturating_add(derivation.space.saturating_mul(2)),
            on_failure: graphs::plan::Failure::Stop,
            plan: String::new(),
            script: None,
            imported: None,
        };
        unit.plan = graphs::plan::unit(step.clone(), &unit.resolved()).map_err(Failure::input)?;
        Ok(unit)
    }
}
