export interface PageLife {
    /** The page goes, perhaps for good. One that still listens to something is not kept for the back button. */
    onLeave(): void;
    /** It was kept, and is back: whatever it shows is of the past. */
    onBack(): void;
    /** The user looks at it again. */
    onLook(): void;
}
/** @returns how to stop */
export declare function watchPage({ onLeave, onBack, onLook }: PageLife): () => void;
